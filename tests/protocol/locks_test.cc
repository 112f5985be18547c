#include <criterion/criterion.h>

#include "protocol/frame.h"
#include "protocol/lock_codec.h"
#include "protocol/locks.h"

using namespace skua;

Test(locks, come_back_as_they_were_written) {
  DatabaseLock taken;
  taken.database = "main";
  taken.holder = LockHolder{LockPeer{5, 77, 1000, "python3", "billing"}, true, 3, 61'200'000, 60'900'000,
                            "UPDATE a", "UPDATE b", 4};
  taken.waiting = {{LockPeer{6, 78, 1001, "", ""}, 10, "INSERT", false}, {std::nullopt, 20, "", true}};
  taken.waiting_count = 101;
  DatabaseLock free;
  free.database = "other";
  FrameBuilder frame;
  write_locks({taken, free}, frame.initRoot<wire::Locks>());
  const Frame written = frame.finish();
  MessageView view(written.view());
  const std::vector<DatabaseLock> read = read_locks(view.root<wire::Locks>());
  cr_assert_eq(read.size(), 2u);
  const LockHolder& holder = *read[0].holder;
  cr_expect(peer_text(holder.peer) == "session 5 (python3, pid 77, uid 1000)");
  cr_expect(holder.peer->client_name == "billing");
  cr_expect(holder.in_transaction);
  cr_expect_eq(holder.transaction, 3u);
  cr_expect_eq(holder.held_us, 61'200'000u);
  cr_expect_eq(holder.idle_us, 60'900'000u);
  cr_expect(holder.first_sql == "UPDATE a");
  cr_expect(holder.last_sql == "UPDATE b");
  cr_expect_eq(holder.requests, 4u);
  cr_assert_eq(read[0].waiting.size(), 2u);
  cr_expect(peer_text(read[0].waiting[0].peer) == "session 6 (pid 78, uid 1001)");
  cr_expect_eq(read[0].waiting[0].waited_us, 10u);
  cr_expect(read[0].waiting[0].sql == "INSERT");
  cr_expect(not read[0].waiting[1].peer.has_value());
  cr_expect(read[0].waiting[1].opens_transaction);
  cr_expect_eq(read[0].waiting_count, 101u);
  cr_expect(read[1].database == "other");
  cr_expect(not read[1].holder.has_value());
}

Test(locks, text_is_cut_between_characters) {
  cr_expect(cut_text("abc", 3) == "abc");
  cr_expect(cut_text("abcd", 3) == "abc");
  cr_expect(cut_text("ab\u00e4", 3) == "ab");
  cr_expect(cut_text("ab\u00e4", 4) == "ab\u00e4");
  cr_expect(cut_text("\U0001F426x", 3).empty());
  cr_expect(cut_text("\U0001F426x", 4) == "\U0001F426");
  cr_expect(cut_text(std::string(9, '\x80'), 5).size() == 5, "what is no UTF-8 is cut anywhere");
  cr_expect(cut_text("", 0).empty());
}

Test(locks, sql_for_a_line_has_single_spaces) {
  cr_expect(one_line("  UPDATE t\n\t SET a = 1 \n", 100) == "UPDATE t SET a = 1");
  cr_expect(one_line("SELECT 1", 6) == "SELECT…");
  cr_expect(one_line(" \n ", 6).empty());
}

Test(locks, durations_are_for_people) {
  const struct {
    std::uint64_t us;
    const char* text;
  } cases[] = {
      {0, "0.0 ms"},          {420, "0.4 ms"},           {9'999, "10.0 ms"},         {10'000, "10 ms"},
      {999'999, "999 ms"},    {1'000'000, "1.0 s"},      {61'299'999, "61.2 s"},     {119'999'999, "119.9 s"},
      {120'000'000, "2 min 0 s"}, {3'599'999'999, "59 min 59 s"}, {11'520'000'000, "3 h 12 min"},
  };
  for (const auto& each : cases) cr_expect(duration_text(each.us) == each.text, "%s", duration_text(each.us).c_str());
}
