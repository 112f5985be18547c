// Classifier: says what classify_statement() says, and remembers no more than it may.
#include <criterion/criterion.h>
#include <fmt/format.h>

#include "daemon/core/classifier.h"

using namespace skua;
using Class = StatementKind::Class;

namespace {

struct Scene {
  Scene() { loop_thread.adopt(); }
  StatementKind classify(std::string_view sql) {
    loop_thread.assert_here();
    const auto kind = classifier.classify(sql);
    cr_assert(kind.has_value(), "%s", std::string(sql).c_str());
    return *kind;
  }
  std::size_t bytes() {
    loop_thread.assert_here();
    return classifier.bytes();
  }
  Classifier classifier;
};

}  // namespace

Test(classifier, says_the_same_the_second_time) {
  Scene scene;
  for (int round = 0; round < 3; ++round) {
    cr_expect(scene.classify("SELECT 1").statement_class == Class::kRead);
    cr_expect(scene.classify("WITH a AS (SELECT 1) SELECT * FROM a").statement_class == Class::kRead);
    const StatementKind insert = scene.classify("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a");
    cr_expect(insert.statement_class == Class::kWrite);
    cr_expect(insert.changes_rows);
    const StatementKind savepoint = scene.classify("SAVEPOINT \"a b\"");
    cr_expect(savepoint.statement_class == Class::kSavepoint);
    cr_expect(savepoint.name == "a b");
  }
}

Test(classifier, says_what_is_wrong_each_time) {
  Scene scene;
  loop_thread.assert_here();
  for (int round = 0; round < 2; ++round) {
    const auto kind = scene.classifier.classify("COMMIT AND CHAIN");
    cr_assert(!kind);
    cr_expect(kind.error().code == ErrorCode::kSql);
  }
}

Test(classifier, remembers_only_what_takes_long) {
  Scene scene;
  for (const std::string_view sql : {"SELECT 1", "INSERT INTO t VALUES (1)", "PRAGMA user_version", "BEGIN", "CREATE TABLE t(a)"}) {
    (void)scene.classify(sql);
  }
  cr_expect_eq(scene.bytes(), 0u);
  (void)scene.classify("WITH a AS (SELECT 1) SELECT * FROM a");
  const std::size_t one = scene.bytes();
  cr_expect_gt(one, 0u);
  (void)scene.classify("WITH a AS (SELECT 1) SELECT * FROM a");
  cr_expect_eq(scene.bytes(), one);
}

Test(classifier, finds_the_word_with_behind_whatever_may_stand_before_it) {
  for (const std::string_view sql : {"WITH a AS (SELECT 1) SELECT 1", "  with a AS (SELECT 1) SELECT 1", ";; With a AS (SELECT 1) SELECT 1",
                                     "-- x\nWITH a AS (SELECT 1) SELECT 1", "/*x*/ WITH a AS (SELECT 1) SELECT 1",
                                     "\xEF\xBB\xBFWITH a AS (SELECT 1) SELECT 1"}) {
    cr_expect(is_classified_late(sql), "%s", std::string(sql).c_str());
  }
  for (const std::string_view sql : {"", " ", "SELECT 1", "WITHOUT", "w", "-- WITH\nSELECT 1", "'WITH'", "INSERT INTO t WITH a"}) {
    cr_expect(!is_classified_late(sql), "%s", std::string(sql).c_str());
  }
}

Test(classifier, forgets_what_was_used_longest_ago_when_it_is_full) {
  Scene scene;
  const std::string padding(10'000, 'x');
  for (int i = 0; i < 200; ++i) {
    const std::string sql = fmt::format("WITH a AS (SELECT {} /*{}*/) DELETE FROM t", i, padding);
    cr_expect(scene.classify(sql).statement_class == Class::kWrite);
    cr_expect_leq(scene.bytes(), Classifier::kBytesMax);
  }
  cr_expect_gt(scene.bytes(), Classifier::kBytesMax / 2);
}

Test(classifier, does_not_remember_a_text_that_is_too_long) {
  Scene scene;
  const std::string_view frame = "WITH a AS (SELECT 1 /**/) SELECT 1";
  const auto of_length = [&](std::size_t bytes) {
    return fmt::format("WITH a AS (SELECT 1 /*{}*/) SELECT 1", std::string(bytes - frame.size(), 'x'));
  };
  cr_expect(scene.classify(of_length(Classifier::kTextBytesMax + 1)).statement_class == Class::kRead);
  cr_expect_eq(scene.bytes(), 0u);
  cr_expect(scene.classify(of_length(Classifier::kTextBytesMax)).statement_class == Class::kRead);
  cr_expect_gt(scene.bytes(), Classifier::kTextBytesMax);
}
