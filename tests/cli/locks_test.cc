#include <criterion/criterion.h>

#include "client/cli/locks_command.h"

using namespace skua;
using namespace skua::cli;

namespace {

std::vector<DatabaseLock> some_locks() {
  DatabaseLock taken;
  taken.database = "main";
  taken.holder = LockHolder{LockPeer{1, 4711, 1000, "python3", "billing"}, true, 1, 61'200'000, 60'900'000,
                            "UPDATE a\n  SET b = 1", "UPDATE \x1b[2J", 3};
  taken.waiting = {{LockPeer{2, 4720, 1000, "skua", "skua"}, 12'300'000, "INSERT INTO nut DEFAULT VALUES", false},
                   {LockPeer{4, 4733, 0, "node", ""}, 250'000, "", true},
                   {std::nullopt, 400, "BEGIN", true}};
  taken.waiting_count = 5;
  DatabaseLock busy;
  busy.database = "busy";
  busy.holder = LockHolder{std::nullopt, false, 0, 2'000'000, 0, "DELETE FROM t", "DELETE FROM t", 1};
  DatabaseLock free;
  free.database = "free";
  return {taken, busy, free};
}

void expect_text(const std::string& text, const std::string& expected) {
  cr_expect(text == expected, "%s\ninstead of\n%s", text.c_str(), expected.c_str());
}

}  // namespace

Test(locks, are_told_in_sentences_and_harm_no_terminal) {
  expect_text(locks_text(some_locks(), 0),
              "session 1 (python3, pid 4711, uid 1000) \"billing\" has the writer of 'main', for 61.2 s\n"
              "  in transaction 1, idle for 60.9 s, 3 requests so far\n"
              "  first: UPDATE a SET b = 1\n"
              "  last:  UPDATE ^[[2J\n"
              "  5 requests wait for it:\n"
              "       12.3 s  session 2 (skua, pid 4720, uid 1000): INSERT INTO nut DEFAULT VALUES\n"
              "       250 ms  session 4 (node, pid 4733, uid 0): begin\n"
              "       0.4 ms  a session that is gone: begin: BEGIN\n"
              "    and 2 more\n"
              "a session that is gone has the writer of 'busy', for 2.0 s\n"
              "  outside of a transaction, 1 write under way\n"
              "  oldest: DELETE FROM t\n"
              "nobody has the writer of 'free'\n");
}

Test(locks, lines_of_those_who_wait_fit_the_screen) {
  const std::string text = locks_text(some_locks(), 60);
  cr_expect(text.find("session 2 (skua, pid 4720, uid 1000): …\n") != std::string::npos ||
                text.find("…\n") != std::string::npos,
            "%s", text.c_str());
  cr_expect(text.find("nut") == std::string::npos, "%s", text.c_str());
}

Test(locks, are_exact_in_json) {
  expect_text(locks_json(some_locks()),
              R"([{"database":"main","holder":{"peer":{"session":1,"pid":4711,"uid":1000,"command":"python3",)"
              R"("client_name":"billing"},"in_transaction":true,"transaction":1,"held_us":61200000,"idle_us":60900000,)"
              R"("first_sql":"UPDATE a\n  SET b = 1","last_sql":"UPDATE \u001b[2J","requests":3},"waiting_count":5,)"
              R"("waiting":[{"peer":{"session":2,"pid":4720,"uid":1000,"command":"skua","client_name":"skua"},)"
              R"("waited_us":12300000,"opens_transaction":false,"sql":"INSERT INTO nut DEFAULT VALUES"},)"
              R"({"peer":{"session":4,"pid":4733,"uid":0,"command":"node","client_name":""},"waited_us":250000,)"
              R"("opens_transaction":true,"sql":""},{"peer":null,"waited_us":400,"opens_transaction":true,)"
              R"("sql":"BEGIN"}]},)"
              "\n"
              R"({"database":"busy","holder":{"peer":null,"in_transaction":false,"transaction":0,"held_us":2000000,)"
              R"("idle_us":0,"first_sql":"DELETE FROM t","last_sql":"DELETE FROM t","requests":1},"waiting_count":0,)"
              R"("waiting":[]},)"
              "\n"
              R"({"database":"free","holder":null,"waiting_count":0,"waiting":[]}])"
              "\n");
  cr_expect(locks_json({}) == "[]\n");
}
