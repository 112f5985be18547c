// Classifier: classify_statement(), remembering what it found for the text that was asked for last, and for those that take long.
//
// For nearly all statements the first words decide, which costs less than finding their text in a table, though more than seeing
// that it is the same as before. WITH is different: the verb stands behind all of its common tables. Loop thread.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/base/thread_annotations.h"
#include "daemon/core/statement_kind.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

class Classifier {
 public:
  // Of the texts that are remembered, and the longest of them.
  static constexpr std::size_t kBytesMax = 512 * kKiB;
  static constexpr std::size_t kTextBytesMax = 64 * kKiB;

  Result<StatementKind> classify(std::string_view sql) SKUA_REQUIRES(loop_thread);

  std::size_t bytes() const SKUA_REQUIRES(loop_thread) { return bytes_; }

 private:
  struct Entry {
    std::string sql;
    StatementKind kind;
  };
  using Entries = std::list<Entry>;

  // A longer text is rarely repeated, and long to keep.
  static constexpr std::size_t kLastBytesMax = 4 * kKiB;

  Result<StatementKind> classify_another(std::string_view sql) SKUA_REQUIRES(loop_thread);
  const Entry* find(std::string_view sql) SKUA_REQUIRES(loop_thread);
  void remember(std::string_view sql, const StatementKind& kind) SKUA_REQUIRES(loop_thread);

  Entry last_ SKUA_GUARDED_BY(loop_thread);
  std::size_t bytes_ SKUA_GUARDED_BY(loop_thread) = 0;
  // Most recently used first.
  Entries entries_ SKUA_GUARDED_BY(loop_thread);
  std::unordered_map<std::string_view, Entries::iterator> by_sql_ SKUA_GUARDED_BY(loop_thread);
};

}  // namespace skua
