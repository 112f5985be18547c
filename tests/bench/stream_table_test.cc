// The digest of a stream's rows tells whether they are all there, and the right ones.
#include "bench/workloads/stream_table.h"

#include <criterion/criterion.h>
#include <sqlite3.h>

#include "bench/peers/sqlite_file.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::bench;
using namespace skua::test;

namespace {

constexpr std::int64_t kRows = 211;

StreamDigest digest_of_file(const StreamTable& table, const std::string& path) {
  SqliteFile file = must(SqliteFile::open(path));
  const SqliteFile::Statement statement = must(file.prepare(table.select()));
  StreamDigest digest;
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    ++digest.rows;
    for (int column = 0; column < 4; ++column) {
      switch (sqlite3_column_type(statement.get(), column)) {
        case SQLITE_INTEGER: digest.add_integer(sqlite3_column_int64(statement.get(), column)); break;
        case SQLITE_FLOAT: digest.add_real(sqlite3_column_double(statement.get(), column)); break;
        case SQLITE_NULL: ++digest.nulls; break;
        default: digest.add_text(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), column)));
      }
    }
  }
  return digest;
}

}  // namespace

Test(stream_table, the_expected_digest_is_that_of_the_table) {
  for (const StreamKind kind : {StreamKind::kPlain, StreamKind::kMixed, StreamKind::kNulls}) {
    const TemporaryDirectory directory;
    const StreamTable table(kind, kRows);
    const StreamDigest digest = digest_of_file(table, must(table.fill_file(directory.path())));
    cr_assert(digest == table.digest(), "%s", table.name().c_str());
    cr_assert_eq(must(table.judge(table.digest(), digest)), static_cast<std::uint64_t>(kRows));
    cr_assert_eq(digest.nulls > 0, kind == StreamKind::kNulls);
  }
}

Test(stream_table, another_row_and_a_missing_one_are_seen) {
  const StreamTable table(StreamKind::kPlain, kRows);
  const StreamDigest expected = table.digest();
  StreamDigest other = expected;
  other.add_row(kRows + 1, "", 0, 0);
  cr_assert(!table.judge(expected, other));
  cr_assert(!table.judge(expected, StreamTable(StreamKind::kPlain, kRows - 1).digest()));
}
