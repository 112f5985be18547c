// StatementCache: which statements a connection keeps, which one goes, and how they come back.
#include "daemon/engine/statement_cache.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <optional>

#include "tests/engine/expectations.h"
#include "tests/engine/scratch_database.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::size_t kEntriesMax = 3;
constexpr std::uint64_t kBytesMax = 1'000'000;

// A cache of three, on a connection where nothing else is prepared.
struct Scene {
  explicit Scene(std::size_t entries_max = kEntriesMax, std::uint64_t bytes_max = kBytesMax) {
    cache.emplace(entries_max, bytes_max);
    must(sqlite3_open(":memory:", &handle) == SQLITE_OK ? Status() : make_error(ErrorCode::kIo, "no memory"));
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene() {
    cache.reset();
    sqlite3_close_v2(handle);
  }

  StatementCache::Lease lease(std::string_view sql) { return must(cache->lease(handle, sql), std::string(sql)); }
  // As a request does: takes it and gives it back.
  void use(std::string_view sql) { (void)lease(sql); }
  // The texts of all prepared statements, sorted, joined by a space.
  std::string prepared() const {
    std::vector<std::string> texts;
    for (sqlite3_stmt* stmt = sqlite3_next_stmt(handle, nullptr); stmt != nullptr;
         stmt = sqlite3_next_stmt(handle, stmt)) {
      texts.emplace_back(sqlite3_sql(stmt));
    }
    std::sort(texts.begin(), texts.end());
    return fmt::format("{}", fmt::join(texts, " "));
  }

  sqlite3* handle = nullptr;
  std::optional<StatementCache> cache;
};

}  // namespace

Test(statement_cache, a_text_is_prepared_once) {
  Scene scene;
  for (int i = 0; i < 10; ++i) scene.use("VALUES(1)");
  expect_text(scene.prepared(), "VALUES(1)");
}

Test(statement_cache, a_text_that_differs_in_anything_is_another) {
  Scene scene;
  scene.use("VALUES(1)");
  scene.use("values(1)");
  expect_text(scene.prepared(), "VALUES(1) values(1)");
}

Test(statement_cache, keeps_as_many_as_it_may_and_then_drops_the_least_recently_used) {
  Scene scene;
  for (const std::string_view sql : {"VALUES(1)", "VALUES(2)", "VALUES(3)"}) scene.use(sql);
  expect_text(scene.prepared(), "VALUES(1) VALUES(2) VALUES(3)");
  scene.use("VALUES(1)");
  scene.use("VALUES(4)");
  expect_text(scene.prepared(), "VALUES(1) VALUES(3) VALUES(4)");
  scene.use("VALUES(5)");
  expect_text(scene.prepared(), "VALUES(1) VALUES(4) VALUES(5)");
}

Test(statement_cache, two_leases_of_one_text_are_two_statements_and_one_is_kept) {
  Scene scene;
  {
    const StatementCache::Lease first = scene.lease("VALUES(1)");
    const StatementCache::Lease second = scene.lease("VALUES(1)");
    cr_assert(&*first != &*second);
    expect_text(scene.prepared(), "VALUES(1) VALUES(1)");
    cr_assert(must(first->step()));
    cr_assert(must(second->step()));
    cr_assert(!must(first->step()));
  }
  expect_text(scene.prepared(), "VALUES(1)");
}

Test(statement_cache, the_second_lease_of_a_text_may_outlive_the_first) {
  Scene scene;
  std::optional<StatementCache::Lease> first = scene.lease("VALUES(1)");
  std::optional<StatementCache::Lease> second = scene.lease("VALUES(1)");
  first.reset();
  cr_assert(must((*second)->step()));
  scene.use("VALUES(1)");
  expect_text(scene.prepared(), "VALUES(1) VALUES(1)");
  second.reset();
  expect_text(scene.prepared(), "VALUES(1)");
}

Test(statement_cache, what_is_leased_is_not_dropped) {
  Scene scene;
  const StatementCache::Lease oldest = scene.lease("VALUES(1)");
  for (const std::string_view sql : {"VALUES(2)", "VALUES(3)", "VALUES(4)", "VALUES(5)"}) scene.use(sql);
  expect_text(scene.prepared(), "VALUES(1) VALUES(4) VALUES(5)");
  cr_assert(must(oldest->step()));
}

Test(statement_cache, grows_while_all_are_leased_and_shrinks_again) {
  Scene scene;
  {
    std::vector<StatementCache::Lease> leases;
    for (int i = 1; i <= 5; ++i) leases.push_back(scene.lease(fmt::format("VALUES({})", i)));
    expect_text(scene.prepared(), "VALUES(1) VALUES(2) VALUES(3) VALUES(4) VALUES(5)");
  }
  scene.use("VALUES(6)");
  expect_text(scene.prepared(), "VALUES(4) VALUES(5) VALUES(6)");
}

Test(statement_cache, a_returned_statement_is_reset_and_without_bindings) {
  Scene scene;
  {
    const StatementCache::Lease lease = scene.lease("SELECT ?1 UNION ALL SELECT 2");
    must(lease->bind(1, ValueView::text("mine")));
    cr_assert(must(lease->step()));
    cr_assert(sqlite3_stmt_busy(sqlite3_next_stmt(scene.handle, nullptr)));
  }
  cr_assert(!sqlite3_stmt_busy(sqlite3_next_stmt(scene.handle, nullptr)));
  const StatementCache::Lease lease = scene.lease("SELECT ?1 UNION ALL SELECT 2");
  cr_assert(must(lease->step()));
  cr_assert(lease->column(0).is_null());
}

Test(statement_cache, a_text_with_an_error_is_not_kept_and_drops_nothing) {
  Scene scene;
  for (const std::string_view sql : {"VALUES(1)", "VALUES(2)", "VALUES(3)"}) scene.use(sql);
  for (int i = 0; i < 2; ++i) {
    const auto lease = scene.cache->lease(scene.handle, "VALUES(");
    cr_assert(!lease);
    expect_error(lease.error(), ErrorCode::kSql);
  }
  expect_text(scene.prepared(), "VALUES(1) VALUES(2) VALUES(3)");
}

Test(statement_cache, a_statement_follows_the_schema) {
  Scene scene;
  scene.use("VALUES(1)");
  const StatementCache::Lease create = scene.lease("CREATE TABLE t(a)");
  cr_assert(!must(create->step()));
  const auto columns = [&] {
    const StatementCache::Lease lease = scene.lease("SELECT * FROM t");
    (void)must(lease->step());
    return lease->columns();
  };
  cr_assert_eq(columns().size(), 1u);
  const StatementCache::Lease alter = scene.lease("ALTER TABLE t ADD COLUMN b");
  cr_assert(!must(alter->step()));
  cr_assert_eq(columns().size(), 2u);
  expect_text(columns().back().name, "b");
}

// What one entry of the shape "VALUES(1)" takes.
static std::uint64_t bytes_of_one() {
  Scene scene;
  scene.use("VALUES(1)");
  return scene.cache->bytes();
}

Test(statement_cache, counts_the_memory_of_what_it_keeps) {
  const std::uint64_t small = bytes_of_one();
  cr_assert_gt(small, sizeof(StatementCache::Entry));
  Scene scene;
  scene.use("VALUES(1)");
  scene.use("VALUES(2)");
  cr_assert_eq(scene.cache->bytes(), 2 * small);
  std::string longer = "VALUES(1";
  for (int i = 0; i < 200; ++i) longer += ",1";
  scene.use(longer + ")");
  cr_assert_gt(scene.cache->bytes(), 3 * small + longer.size());
}

Test(statement_cache, keeps_what_has_room_to_the_byte_and_then_drops_the_least_recently_used) {
  const std::uint64_t one = bytes_of_one();
  Scene exact(100, 3 * one);
  for (const std::string_view sql : {"VALUES(1)", "VALUES(2)", "VALUES(3)"}) exact.use(sql);
  expect_text(exact.prepared(), "VALUES(1) VALUES(2) VALUES(3)");
  cr_assert_eq(exact.cache->bytes(), 3 * one);
  exact.use("VALUES(4)");
  expect_text(exact.prepared(), "VALUES(2) VALUES(3) VALUES(4)");
  Scene less(100, 3 * one - 1);
  for (const std::string_view sql : {"VALUES(1)", "VALUES(2)", "VALUES(3)"}) less.use(sql);
  expect_text(less.prepared(), "VALUES(2) VALUES(3)");
}

Test(statement_cache, a_statement_that_is_larger_than_the_cache_is_not_kept_and_drops_nothing) {
  const std::uint64_t one = bytes_of_one();
  Scene scene(100, 2 * one);
  scene.use("VALUES(1)");
  const std::string large = "VALUES(1 /*" + std::string(2 * one, 'x') + "*/)";
  {
    const StatementCache::Lease lease = scene.lease(large);
    cr_assert(must(lease->step()));
  }
  expect_text(scene.prepared(), "VALUES(1)");
  cr_assert_eq(scene.cache->bytes(), one);
  Scene none(100, 0);
  none.use("VALUES(1)");
  expect_text(none.prepared(), "");
}

Test(statement_cache, one_large_statement_takes_the_place_of_many_small_ones) {
  const std::uint64_t one = bytes_of_one();
  Scene scene(100, 8 * one);
  for (int i = 1; i <= 8; ++i) scene.use(fmt::format("VALUES({})", i));
  const std::string large = "VALUES(9 /*" + std::string(one, 'x') + "*/)";
  scene.use(large);
  cr_assert_leq(scene.cache->bytes(), 8 * one);
  cr_assert(scene.prepared().find("VALUES(8)") != std::string::npos);
  cr_assert(scene.prepared().find("VALUES(1)") == std::string::npos);
}

Test(statement_cache, counts_anew_what_was_prepared_anew) {
  Scene scene(100);
  (void)must(scene.lease("CREATE TABLE t(a)")->step());
  const auto select = [&] { (void)must(scene.lease("SELECT * FROM t")->step()); };
  select();
  const std::uint64_t before = scene.cache->bytes();
  std::string columns;
  for (int i = 0; i < 50; ++i) {
    (void)must(scene.lease(fmt::format("ALTER TABLE t ADD COLUMN b{}", i))->step());
  }
  Scene other(100);
  const std::uint64_t altered = scene.cache->bytes();
  select();
  cr_assert_gt(scene.cache->bytes(), altered, "the statement has 51 columns now, and had one");
  cr_assert_gt(altered, before);
}
