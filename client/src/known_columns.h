// KnownColumns: the columns of results by the SQL that had them, so that they need not be sent each time.
//
// Remembers the texts that were executed last. Whether a result has the columns that are remembered, the daemon says: it
// leaves them out if their id is the one that the request named. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "skua/batch.h"

namespace skua {

class KnownColumns {
 public:
  static constexpr std::size_t kTextsMax = 128;
  // A longer text is dear to remember, and its result most likely dearer.
  static constexpr std::size_t kSqlBytesMax = 4'096;

  struct Entry {
    std::uint64_t id = 0;  // 0: not known
    Columns columns;
  };

  Entry find(std::string_view sql);
  void keep(std::string_view sql, Entry entry);

 private:
  struct Text {
    std::string sql;
    Entry entry;
  };
  using Texts = std::list<Text>;

  // Executed last first. Texts do not move in memory.
  Texts texts_;
  std::unordered_map<std::string_view, Texts::iterator> by_sql_;
};

}  // namespace skua
