// Cached statements after another session has changed the schema: what they return, and what is said of it.
#include <criterion/criterion.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "daemon/engine/inline_lane.h"
#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

// Each kind of connection, with its statements cached. The schema is changed on the writer, where the statements of all sessions
// run that do so.
struct Scene {
  Scene() {
    must(inline_reader().make_inline());
    scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)", "INSERT INTO t VALUES (1, '7')"});
  }
  Connection& inline_reader() { return scratch.reader(1); }
  std::vector<Connection*> connections() { return {&scratch.reader(0), &scratch.writer(), &inline_reader()}; }

  // On all of them: the columns as name:declared type, and the rows.
  void expect(std::string_view sql, std::string_view columns, std::string_view rows) {
    for (int round = 0; round < 2; ++round) {
      for (Connection* connection : connections()) {
        const Answer answer = answer_of(Lane(*connection).execute(sql));
        std::vector<std::string> described;
        for (const ColumnInfo& column : answer.columns) {
          described.push_back(fmt::format("{}:{}", column.name, column.declared_type.empty() ? "-" : column.declared_type));
        }
        expect_text(fmt::format("{}", fmt::join(described, " ")), std::string(columns));
        expect_text(to_text(answer.rows), std::string(rows));
      }
    }
  }

  ScratchDatabase scratch;
};

}  // namespace

Test(statement_schema, an_added_column_is_in_the_star) {
  Scene scene;
  scene.expect("SELECT * FROM t", "id:INTEGER a:TEXT", "1|7");
  scene.scratch.run({"ALTER TABLE t ADD COLUMN b REAL DEFAULT 2.5"});
  scene.expect("SELECT * FROM t", "id:INTEGER a:TEXT b:REAL", "1|7|2.5");
  scene.scratch.run({"ALTER TABLE t DROP COLUMN a"});
  scene.expect("SELECT * FROM t", "id:INTEGER b:REAL", "1|2.5");
}

Test(statement_schema, a_renamed_column_has_its_new_name) {
  Scene scene;
  scene.expect("SELECT * FROM t WHERE id = 1", "id:INTEGER a:TEXT", "1|7");
  scene.scratch.run({"ALTER TABLE t RENAME COLUMN a TO z"});
  scene.expect("SELECT * FROM t WHERE id = 1", "id:INTEGER z:TEXT", "1|7");
}

Test(statement_schema, a_table_that_is_made_anew_has_its_new_types_and_affinities) {
  Scene scene;
  scene.expect("SELECT a, typeof(a) FROM t", "a:TEXT typeof(a):-", "7|text");
  scene.expect("SELECT count(*) FROM t WHERE a = '07'", "count(*):-", "0");
  scene.scratch.run({"DROP TABLE t", "CREATE TABLE t(a INTEGER, id INTEGER)", "INSERT INTO t VALUES ('7', 1)"});
  scene.expect("SELECT a, typeof(a) FROM t", "a:INTEGER typeof(a):-", "7|integer");
  scene.expect("SELECT count(*) FROM t WHERE a = '07'", "count(*):-", "1");
}

Test(statement_schema, a_view_that_is_made_anew_shows_the_new_one) {
  Scene scene;
  scene.scratch.run({"CREATE VIEW v AS SELECT a FROM t"});
  scene.expect("SELECT * FROM v", "a:TEXT", "7");
  scene.scratch.run({"DROP VIEW v", "CREATE VIEW v AS SELECT id, a || '!' AS b FROM t"});
  scene.expect("SELECT * FROM v", "id:INTEGER b:-", "1|7!");
}

Test(statement_schema, a_dropped_table_is_an_error_until_it_is_there_again) {
  Scene scene;
  scene.expect("SELECT a FROM t", "a:TEXT", "7");
  scene.scratch.run({"DROP TABLE t"});
  for (int round = 0; round < 2; ++round) {
    for (Connection* connection : scene.connections()) {
      expect_error(error_of(Lane(*connection).execute("SELECT a FROM t")), ErrorCode::kSql, "no such table");
    }
  }
  scene.scratch.run({"CREATE TABLE t(a BLOB)", "INSERT INTO t VALUES (x'01')"});
  scene.expect("SELECT a FROM t", "a:BLOB", "x'01'");
}

Test(statement_schema, a_write_follows_the_new_affinity) {
  Scene scene;
  Lane writer(scene.scratch.writer());
  const auto insert = [&] { return text_of(writer.execute("INSERT INTO t(a) VALUES ('8') RETURNING typeof(a)")); };
  expect_text(insert(), "text");
  scene.scratch.run({"DROP TABLE t", "CREATE TABLE t(a INTEGER)"});
  expect_text(insert(), "integer");
  expect_text(insert(), "integer");
}

Test(statement_schema, a_read_that_calls_something_long_since_is_not_short_any_more) {
  Scene scene;
  scene.scratch.run({"CREATE VIEW v AS SELECT a FROM t"});
  Lane reader(scene.scratch.reader());
  cr_assert(reader.execute("SELECT * FROM v").was_short);
  scene.scratch.run({"DROP VIEW v", "CREATE VIEW v AS SELECT hex(a) AS a FROM t"});
  for (int round = 0; round < 3; ++round) {
    const Job job = reader.execute("SELECT * FROM v");
    expect_text(text_of(job), "37");
    cr_assert(!job.was_short, "round %d", round);
  }
}
