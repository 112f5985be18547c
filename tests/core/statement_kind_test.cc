#include "daemon/core/statement_kind.h"

#include <criterion/criterion.h>

#include <string>

namespace {

using skua::classify_statement;
using Class = skua::StatementKind::Class;

struct Case {
  const char* sql;
  Class expected;
};

void expect_all(const Case* cases, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto kind = classify_statement(cases[i].sql);
    cr_assert(kind.has_value(), "%s: %s", cases[i].sql, kind ? "" : kind.error().message.c_str());
    cr_expect(kind->statement_class == cases[i].expected, "%s came out as class %d", cases[i].sql,
              static_cast<int>(kind->statement_class));
  }
}

}  // namespace

Test(statement_kind, first_words_choose_the_lane) {
  const Case cases[] = {
      {"SELECT 1", Class::kRead},
      {"  /* hint */ -- and more\n select 1", Class::kRead},
      {"VALUES (1)", Class::kRead},
      {"EXPLAIN DELETE FROM t", Class::kRead},
      {"insert into t values(1)", Class::kWrite},
      {"REPLACE INTO t VALUES(1)", Class::kWrite},
      {"VACUUM", Class::kWrite},
      {"WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a, b", Class::kRead},
      {"WITH a AS (SELECT 'INSERT') INSERT INTO t SELECT * FROM a", Class::kWrite},
      {"WITH RECURSIVE \"insert\"(x) AS (VALUES(1)) SELECT 1", Class::kRead},
      {"PRAGMA table_info(t)", Class::kRead},
      {"PRAGMA user_version", Class::kRead},
      {"PRAGMA main.user_version = 4", Class::kWrite},
      {"PRAGMA optimize", Class::kWrite},
      {"", Class::kRead},
      {"nonsense", Class::kRead},
  };
  expect_all(cases, std::size(cases));
}

Test(statement_kind, transaction_control_is_taken_apart) {
  const Case cases[] = {
      {"BEGIN", Class::kBegin},
      {"begin deferred transaction;", Class::kBegin},
      {"BEGIN EXCLUSIVE", Class::kBegin},
      {"COMMIT", Class::kCommit},
      {"END TRANSACTION ; ;", Class::kCommit},
      {"ROLLBACK", Class::kRollback},
      {"ROLLBACK TRANSACTION TO SAVEPOINT a", Class::kRollbackTo},
      {"ROLLBACK TO a", Class::kRollbackTo},
      {"SAVEPOINT \"a b\"", Class::kSavepoint},
      {"RELEASE SAVEPOINT a", Class::kRelease},
      {"RELEASE a -- done", Class::kRelease},
  };
  expect_all(cases, std::size(cases));
}

Test(statement_kind, begin_read_only_is_told_from_begin) {
  cr_expect(classify_statement("BEGIN READ ONLY")->read_only);
  cr_expect(not classify_statement("BEGIN READ WRITE TRANSACTION")->read_only);
  cr_expect(not classify_statement("BEGIN")->read_only);
}

Test(statement_kind, savepoint_names_lose_their_quotes) {
  cr_expect(classify_statement("SAVEPOINT \"a\"\"b\"")->name == "a\"b");
  cr_expect(classify_statement("SAVEPOINT [a b]")->name == "a b");
  cr_expect(classify_statement("SAVEPOINT 'it''s'")->name == "it's");
}

Test(statement_kind, a_byte_order_mark_hides_nothing) {
  // SQLite takes it for white space, so COMMIT behind one would reach SQLite as text.
  cr_expect(classify_statement("\xEF\xBB\xBF" "COMMIT")->statement_class == Class::kCommit);
}

Test(statement_kind, misspelt_transaction_control_is_an_error_with_its_place) {
  for (const char* sql : {"BEGIN IMMEDIATE NOW", "COMMIT; SELECT 1", "SAVEPOINT", "RELEASE 5", "BEGIN READ"}) {
    const auto kind = classify_statement(sql);
    cr_assert(not kind.has_value(), "%s", sql);
    cr_expect(kind.error().code == skua::ErrorCode::kSql);
    cr_expect(kind.error().sql_offset >= 0, "%s", sql);
  }
}

Test(statement_kind, savepoint_name_at_its_limit) {
  const std::string longest(256, 'n');
  cr_expect(classify_statement("SAVEPOINT " + longest).has_value());
  const auto longer = classify_statement("SAVEPOINT " + longest + "n");
  cr_assert(not longer.has_value());
  cr_expect(longer.error().code == skua::ErrorCode::kLimit);
}
