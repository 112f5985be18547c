#include "daemon/core/access.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace skua {

namespace {

template <class Id>
bool parse_number(const std::string& text, Id& id) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<AccessRules> AccessRules::of(const std::vector<std::string>& users, const std::vector<std::string>& groups) {
  AccessRules rules;
  for (const std::string& name : users) {
    uid_t uid = 0;
    if (!parse_number(name, uid)) {
      const passwd* entry = getpwnam(name.c_str());
      if (entry == nullptr) return make_error(ErrorCode::kNotFound, fmt::format("there is no user '{}'", name));
      uid = entry->pw_uid;
    }
    rules.users_.push_back(uid);
  }
  for (const std::string& name : groups) {
    gid_t gid = 0;
    if (!parse_number(name, gid)) {
      const group* entry = getgrnam(name.c_str());
      if (entry == nullptr) return make_error(ErrorCode::kNotFound, fmt::format("there is no group '{}'", name));
      gid = entry->gr_gid;
    }
    rules.groups_.push_back(gid);
  }
  return rules;
}

bool AccessRules::allows(const PeerIdentity& peer) const {
  if (peer.uid == 0 || peer.uid == geteuid()) return true;
  if (std::find(users_.begin(), users_.end(), peer.uid) != users_.end()) return true;
  if (groups_.empty()) return false;
  std::vector<gid_t> memberships = {peer.gid};
  if (const passwd* entry = getpwuid(peer.uid); entry != nullptr) {
    int count = 64;
    memberships.resize(static_cast<std::size_t>(count));
    if (getgrouplist(entry->pw_name, peer.gid, memberships.data(), &count) < 0) {
      memberships.resize(static_cast<std::size_t>(count));
      getgrouplist(entry->pw_name, peer.gid, memberships.data(), &count);
    }
    memberships.resize(static_cast<std::size_t>(count));
  }
  return std::any_of(memberships.begin(), memberships.end(), [this](gid_t gid) {
    return std::find(groups_.begin(), groups_.end(), gid) != groups_.end();
  });
}

}  // namespace skua
