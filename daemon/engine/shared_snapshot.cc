#include "daemon/engine/shared_snapshot.h"

#include <sqlite3.h>

#include <array>
#include <atomic>
#include <optional>

#include "daemon/engine/sqlite_error.h"

namespace skua {

namespace {

// Only a VACUUM's commit, or a log that is started anew, can make an attempt fail, and neither comes twice in so short a time.
constexpr int kAttemptsMax = 16;

// sqlite.org/walformat.html#the_wal_index_header: the header stands twice at the beginning of the index, and a writer changes the
// second copy first.
constexpr std::size_t kHeaderWords = 12;
constexpr int kIndexRegionBytes = 32 * 1024;
using Header = std::array<std::uint32_t, kHeaderWords>;

Header copy_header(const volatile std::uint32_t* from) {
  Header header = {};
  for (std::size_t i = 0; i < kHeaderWords; ++i) header[i] = from[i];
  return header;
}

// Nothing if it is being changed. Written by the thread that commits: SQLite itself reads it in the same way, without a lock,
// and looks whether both copies agree.
#if defined(__clang__)
__attribute__((no_sanitize("thread")))
#endif
Result<std::optional<Header>> index_header(sqlite3* db) {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (found != SQLITE_OK || file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2) {
    return make_error(ErrorCode::kInternal, "the database's file has no index of its log");
  }
  volatile void* region = nullptr;
  const int mapped = file->pMethods->xShmMap(file, 0, kIndexRegionBytes, 0, &region);
  if (mapped != SQLITE_OK) return sqlite_error(db, mapped);
  if (region == nullptr) return make_error(ErrorCode::kInternal, "the index of the log does not exist");
  const auto* words = static_cast<const volatile std::uint32_t*>(region);
  const Header first = copy_header(words);
  file->pMethods->xShmBarrier(file);
  const Header second = copy_header(words + kHeaderWords);
  if (first != second) return std::optional<Header>();
  return std::optional<Header>(first);
}

Status begin_all(const std::vector<Connection*>& connections) {
  for (Connection* connection : connections) SKUA_TRY(connection->begin(true, false));
  return {};
}

}  // namespace

Status begin_on_one_snapshot(CommitGate& gate, const std::vector<Connection*>& connections) {
  sqlite3* const db = connections.front()->handle();
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Status begun;
    bool unchanged = false;
    {
      const CommitGate::Pass pass(gate);
      SKUA_ASSIGN(const std::optional<Header> before, index_header(db));
      begun = begin_all(connections);
      if (begun && before) {
        const auto after = index_header(db);
        if (!after) {
          begun = after.error();
        } else {
          unchanged = *after == before;
        }
      }
    }
    if (begun && unchanged) return {};
    for (Connection* connection : connections) connection->rollback();
    SKUA_TRY(std::move(begun));
  }
  return make_error(ErrorCode::kUnavailable, "the database's log was changed again and again: retry");
}

}  // namespace skua
