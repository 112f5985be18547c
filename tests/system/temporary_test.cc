// TEMP objects, end to end: a session that creates one gets a connection of its own, and nobody else sees it.
#include <criterion/criterion.h>

#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

Test(temporary, objects_belong_to_their_session_and_go_with_it) {
  const RealDaemon daemon;
  Connection first = connect(daemon);
  Connection second = connect(daemon);
  ask(first, "CREATE TABLE t(a)");
  ask(first, "INSERT INTO t VALUES (1), (2)");
  ask(first, "CREATE TEMP VIEW doubled AS SELECT a * 2 AS a FROM t");
  ask(first, "CREATE TEMP TABLE scratch(a INTEGER PRIMARY KEY)");
  ask(first, "INSERT INTO scratch SELECT a FROM doubled");
  cr_assert(ask(first, "SELECT sum(a) FROM scratch") == "6");
  ask(first, "INSERT INTO t VALUES (3)");
  cr_assert(ask(second, "SELECT count(*) FROM t") == "3", "what the session writes to the file goes to the file");
  cr_assert(ask(first, "SELECT count(*) FROM doubled") == "3");
  expect_error(second.execute("SELECT * FROM scratch"), ErrorCode::kSql);
  ask(first, "DROP VIEW doubled");
  expect_error(first.execute("SELECT * FROM doubled"), ErrorCode::kSql);
}

Test(temporary, objects_do_not_reach_the_next_user_of_their_connection) {
  const RealDaemon daemon({.config = "[limits]\nreader_connections_max = 2\n"});
  {
    Connection first = connect(daemon);
    ask(first, "CREATE TEMP TABLE scratch(a)");
  }
  Connection next = connect(daemon);
  for (int i = 0; i < 20; ++i) expect_error(next.execute("SELECT * FROM scratch"), ErrorCode::kSql);
}

Test(temporary, triggers_are_refused) {
  const RealDaemon daemon;
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t(a)");
  const std::string_view body = " AFTER INSERT ON main.t BEGIN SELECT 1; END";
  for (int pinned = 0; pinned < 2; ++pinned) {
    expect_error(connection.execute("CREATE TEMP TRIGGER g" + std::string(body)), ErrorCode::kAccess);
    expect_error(connection.execute("CREATE TRIGGER temp.g" + std::string(body)), ErrorCode::kAccess);
    ask(connection, "CREATE TEMP TABLE IF NOT EXISTS scratch(a)");
  }
  ask(connection, "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END");
}
