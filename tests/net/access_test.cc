// AccessRules: who may open a session.
#include "daemon/core/access.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

// Ids that no user and no group of a Debian system has.
constexpr uid_t kStranger = 59'999;
constexpr gid_t kStrangeGroup = 59'998;

AccessRules rules(const std::vector<std::string>& users, const std::vector<std::string>& groups) {
  return must(AccessRules::of(users, groups), "the rules");
}

PeerIdentity peer(uid_t uid, gid_t gid = kStrangeGroup) { return {uid, gid, 1, "test"}; }

}  // namespace

Test(access, the_daemons_own_user_and_root_always_may) {
  const AccessRules none;
  cr_assert(none.allows(peer(0)));
  cr_assert(none.allows(peer(::geteuid())));
  cr_assert(!none.allows(peer(kStranger)));
  cr_assert(!none.allows(peer(static_cast<uid_t>(-1))));
  cr_assert(!none.allows_others());
}

Test(access, a_user_may_be_named_or_numbered) {
  const AccessRules named = rules({"nobody", "59999"}, {});
  cr_assert(named.allows(peer(getpwnam("nobody")->pw_uid)));
  cr_assert(named.allows(peer(kStranger)));
  cr_assert(!named.allows(peer(kStranger + 1)));
  cr_assert(named.allows_others());
}

Test(access, a_group_may_be_named_or_numbered) {
  const AccessRules named = rules({}, {"daemon", "59998"});
  cr_assert(named.allows(peer(kStranger, getgrnam("daemon")->gr_gid)));
  cr_assert(named.allows(peer(kStranger, kStrangeGroup)));
  cr_assert(!named.allows(peer(kStranger, kStrangeGroup + 1)));
  cr_assert(named.allows_others());
}

Test(access, the_group_of_a_known_user_counts_as_the_kernel_tells_it) {
  const AccessRules named = rules({}, {"59998"});
  const uid_t nobody = getpwnam("nobody")->pw_uid;
  cr_assert(named.allows(peer(nobody, kStrangeGroup)));
  cr_assert(!named.allows(peer(nobody, kStrangeGroup + 1)));
}

Test(access, a_users_further_groups_count) {
  // Any group of this machine with a member in it.
  setgrent();
  while (const group* entry = getgrent()) {
    if (entry->gr_mem[0] == nullptr) continue;
    const passwd* member = getpwnam(entry->gr_mem[0]);
    if (member == nullptr || member->pw_uid == 0) continue;
    cr_assert(rules({}, {entry->gr_name}).allows(peer(member->pw_uid, kStrangeGroup)));
    endgrent();
    return;
  }
  cr_skip_test("no group of this machine has a member: nothing to ask for");
}

Test(access, a_name_the_system_does_not_know_is_an_error) {
  for (const char* name : {"no-such-user", "", "-1", "12x", "99999999999"}) {
    const auto users = AccessRules::of({name}, {});
    cr_assert(!users, "%s", name);
    cr_assert_eq(users.error().code, ErrorCode::kNotFound);
    cr_assert(users.error().message == "there is no user '" + std::string(name) + "'");
    const auto groups = AccessRules::of({}, {name});
    cr_assert(!groups);
    cr_assert(groups.error().message == "there is no group '" + std::string(name) + "'");
  }
}
