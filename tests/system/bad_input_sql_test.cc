// SQL and parameters that the daemon must refuse, each with an error that says what to do.
#include <criterion/criterion.h>

#include <string>

#include "protocol/limits.h"
#include "tests/system/bad_input.h"

using namespace skua;
using namespace skua::test;

namespace {

std::uint64_t send_sql(RawSession& session, std::string_view sql) {
  const std::uint64_t id = session.next_id();
  session.send(RawSession::execute_request(id, sql));
  return id;
}

Refusal refuse_sql(RawSession& session, std::string_view sql, ErrorCode code, std::string_view part = {}) {
  return expect_refusal(session, send_sql(session, sql), code, part);
}

// SQL of exactly so many bytes that is nothing but SELECT 1.
std::string sql_of_bytes(std::size_t bytes) {
  std::string sql = "SELECT 1 --";
  sql.resize(bytes, 'x');
  return sql;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

Test(bad_input_sql, a_syntax_error_comes_with_its_offset_in_bytes) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const struct {
    std::string_view sql;
    std::string_view at;  // the first bytes of what is wrong
  } cases[] = {
      {"SELECT * FORM visit", "FORM"},
      {"SELECT 1 +* 2", "* 2"},
      {"SELECT 'caf\xc3\xa9', nothing FROM visit", "nothing"},
      {"  -- a comment\n\n SELECT number, FROM visit", "FROM visit"},
      {"SELECT nothing(1)", "nothing"},
      {"SELECT @", "@"},
  };
  for (const auto& c : cases) {
    const Refusal refusal = refuse_sql(session, c.sql, ErrorCode::kSql);
    cr_expect_eq(refusal.sql_offset, static_cast<std::int32_t>(c.sql.find(c.at)), "%s: offset %d: %s",
                 c.sql.data(), refusal.sql_offset, refusal.message.c_str());
  }
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, what_ends_too_early_is_an_error) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  for (const std::string_view sql :
       {"SELECT", "SELECT (1", "SELECT 'open", "INSERT INTO visit VALUES (", "CREATE TABLE"}) {
    refuse_sql(session, sql, ErrorCode::kSql);
  }
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, names_that_do_not_exist_are_named) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  refuse_sql(session, "SELECT * FROM nowhere", ErrorCode::kSql, "nowhere");
  refuse_sql(session, "INSERT INTO nowhere VALUES (1)", ErrorCode::kSql, "nowhere");
  refuse_sql(session, "SELECT \"not a string\"", ErrorCode::kSql, "not a string");
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, one_execute_is_one_statement) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  for (const std::string_view sql : {"SELECT 1; SELECT 2", "SELECT 1; INSERT INTO visit VALUES (1)",
                                     "INSERT INTO visit VALUES (1); SELECT 1", "SELECT 1;; nonsense"}) {
    refuse_sql(session, sql, ErrorCode::kSql, "one statement");
  }
  cr_assert(ask(scene.bystander(), "SELECT count(*) FROM visit") == "0");
  for (const std::string_view sql :
       {"SELECT 1;", "SELECT 1 ; ; ", "SELECT 1; -- and no more", "/* first */ SELECT 1 /* last"}) {
    cr_expect_eq(session.execute(sql), 1u);
  }
  scene.expect_all_well();
}

Test(bad_input_sql, an_empty_statement_is_an_error) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  for (const std::string_view sql : {"", " ", ";", " ;; ", "-- nothing", "/* nothing */", "/* open"}) {
    refuse_sql(session, sql, ErrorCode::kSql);
  }
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, a_nul_in_sql_is_refused_at_its_offset) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::string_view sql("SELECT 1\0; DROP TABLE visit", 27);
  const Refusal refusal = refuse_sql(session, sql, ErrorCode::kSql, "NUL");
  cr_expect_eq(refusal.sql_offset, 8);
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, sql_that_is_not_utf_8_is_answered) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  refuse_sql(session, "SELECT \xff\xfe", ErrorCode::kSql);
  cr_expect_eq(session.execute("SELECT '\xff\xfe'"), 1u);
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, sql_may_have_the_largest_size_and_not_one_byte_more) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  cr_expect_eq(session.execute(sql_of_bytes(kSqlBytesMax)), 1u);
  refuse_sql(session, sql_of_bytes(kSqlBytesMax + 1), ErrorCode::kLimit, "sql_bytes_max");
  refuse_sql(session, sql_of_bytes(8 * kSqlBytesMax), ErrorCode::kLimit, "sql_bytes_max");
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, depth_and_width_have_their_ends) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::string deep[] = {
      "SELECT " + repeated("(", 100'000) + "1" + repeated(")", 100'000),
      "SELECT " + repeated("1+", 100'000) + "1",
      "SELECT " + repeated("- ", 100'000) + "1",
      "SELECT * FROM " + repeated("(SELECT * FROM ", 5'000) + "visit" + repeated(")", 5'000),
      "SELECT " + repeated("NOT ", 50'000) + "1",
      "SELECT " + repeated("CASE WHEN ", 20'000) + "1" + repeated(" THEN 1 END", 20'000),
      "SELECT " + repeated("1,", 3'000) + "1",
      "SELECT 1" + repeated(" UNION ALL SELECT 1", 1'000),
      "SELECT * FROM visit" + repeated(", visit", 100),
  };
  for (const std::string& sql : deep) {
    const std::uint64_t id = send_sql(session, sql);
    const Frame frame = session.receive();
    MessageView message(frame.view());
    const auto response = message.root<wire::Response>();
    require(response.getId() == id, "another request was answered");
    if (!response.isError()) continue;  // SQLite finds it not too deep
    const Error error = read_error(response.getError());
    cr_expect(error.code == ErrorCode::kSql || error.code == ErrorCode::kLimit, "%.40s: %s", sql.c_str(),
              error.message.c_str());
  }
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_sql, statements_that_reach_out_of_the_database_are_refused) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  for (const std::string_view sql :
       {"ATTACH '/tmp/other.db' AS other", "DETACH main", "SELECT load_extension('x')",
        "VACUUM INTO '/tmp/copy.db'", "PRAGMA journal_mode = DELETE", "PRAGMA writable_schema = 1",
        "PRAGMA query_only = 1", "PRAGMA mmap_size = 1"}) {
    const Refusal refusal = expect_refusal(session, send_sql(session, sql), ErrorCode::kAccess);
    cr_expect(!refusal.message.empty());
  }
  expect_alive(session);
  cr_assert(ask(scene.bystander(), "PRAGMA journal_mode") == "wal");
  scene.expect_all_well();
}

Test(bad_input_sql, parameters_must_fit_the_statement) {
  Scene scene;
  Connection connection = connect(scene.daemon());
  const struct {
    const char* sql;
    Parameters parameters;
  } cases[] = {
      {"SELECT ?, ?", Parameters::of(1)},
      {"SELECT ?, ?", Parameters::of(1, 2, 3)},
      {"SELECT ?, ?", Parameters()},
      {"SELECT 1", Parameters::of(1)},
      {"SELECT ?3", Parameters::of(1, 2)},
      {"SELECT :a", Parameters::of(1, 2)},
      {"SELECT :a, :b", Parameters().set("a", 1)},
      {"SELECT :a", Parameters().set("a", 1).set("b", 2)},
      {"SELECT :a", Parameters().set("A", 1)},
      {"SELECT :a, :b", Parameters().set("a", 1).set("a", 2)},
      {"SELECT ?", Parameters().set("a", 1)},
      {"SELECT :a, ?", Parameters().set("a", 1).add(2)},
      {"INSERT INTO visit VALUES (:number)", Parameters().set("numbr", 1)},
  };
  for (const auto& c : cases) {
    const Error error = expect_error(connection.execute(c.sql, c.parameters), ErrorCode::kParameter);
    cr_expect(!error.message.empty());
  }
  cr_assert(ask(connection, "SELECT count(*) FROM visit") == "0");
  const Error named =
      expect_error(connection.execute("SELECT :a", Parameters().set("wrong", 1)), ErrorCode::kParameter);
  cr_expect(contains(named.message, "wrong"), "%s", named.message.c_str());
  cr_expect(ask(connection, "SELECT ?2, ?1", Parameters::of(1, 2)) == "2|1");
  cr_expect(ask(connection, "SELECT :a, @b, $c", Parameters().set("c", 3).set("@b", 2).set(":a", 1)) ==
            "1|2|3");
  scene.expect_all_well();
}

Test(bad_input_sql, rows_of_parameters_must_fit_the_statement) {
  Scene scene;
  Connection connection = connect(scene.daemon());
  const auto one_row = [](std::size_t columns, std::vector<std::string> names) {
    ParameterRows rows(columns, std::move(names));
    for (std::size_t i = 0; i < columns; ++i) rows.append(ValueView::integer(1));
    rows.end_row();
    return rows;
  };
  const std::string_view sql = "INSERT INTO visit VALUES (:number)";
  expect_error(connection.execute_many(sql, one_row(2, {})), ErrorCode::kParameter);
  expect_error(connection.execute_many(sql, one_row(0, {})), ErrorCode::kParameter);
  expect_error(connection.execute_many(sql, one_row(1, {"other"})), ErrorCode::kParameter);
  expect_error(connection.execute_many(sql, one_row(2, {"number"})), ErrorCode::kParameter);
  cr_assert(ask(connection, "SELECT count(*) FROM visit") == "0");
  scene.expect_all_well();
}

Test(bad_input_sql, a_row_that_breaks_a_constraint_is_named_and_undoes_all_of_them) {
  Scene scene;
  Connection connection = connect(scene.daemon());
  ParameterRows rows(1);
  for (const std::int64_t number : {100, 101, 100, 102}) {
    rows.append(ValueView::integer(number));
    rows.end_row();
  }
  const Error error =
      expect_error(connection.execute_many("INSERT INTO visit VALUES (?)", rows), ErrorCode::kConstraint);
  cr_expect_eq(error.row, 2);
  cr_assert(ask(connection, "SELECT count(*) FROM visit") == "0");
  scene.expect_all_well();
}

Test(bad_input_sql, a_database_that_is_not_there_is_named) {
  Scene scene;
  Connection connection = connect(scene.daemon(), "elsewhere");
  const Error error = expect_error(connection.execute("SELECT 1"), ErrorCode::kNotFound);
  cr_expect(contains(error.message, "elsewhere") && contains(error.message, "main"), "%s",
            error.message.c_str());
  RequestOptions options;
  options.database = "main";
  must(connection.execute("SELECT 1", {}, options));
  scene.expect_all_well();
}

Test(bad_input_sql, programs_have_limits_and_look_backwards_only) {
  Scene scene;
  Connection connection = connect(scene.daemon());
  Program program;
  program.steps.resize(kProgramStepsMax, {"SELECT 1", {}, {}, false});
  cr_expect_eq(must(connection.run(program)).steps.size(), kProgramStepsMax);
  program.steps.push_back(program.steps.back());
  const Error error = expect_error(connection.run(program), ErrorCode::kLimit);
  cr_expect(contains(error.message, "program_steps_max"), "%s", error.message.c_str());
  program.steps.resize(2);
  program.steps[1].requirements = {{1, Outcome::kSucceeded}};
  expect_error(connection.run(program), ErrorCode::kProtocol);
  program.steps[1].requirements = {{2, Outcome::kSucceeded}};
  expect_error(connection.run(program), ErrorCode::kProtocol);
  program.steps[1] = {"COMMIT", {}, {}, false};
  expect_error(connection.run(program), ErrorCode::kTransactionState);
  scene.expect_all_well();
}
