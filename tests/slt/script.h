// Script: one file of SQLite's logic-test corpus, as records in order.
//
// A record is `statement ok|error` with SQL, or `query TYPES SORT [LABEL]` with SQL, `----` and the values
// expected: one a line, or `N values hashing to MD5`. Records meant for other databases (`onlyif mysql`,
// `skipif sqlite`) are left out, and so is what follows a `halt`. sqlite.org/sqllogictest. Plain data; any
// thread, one at a time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace skua::slt {

enum class SortMode { kNone, kRows, kValues };

struct ValuesHash {
  std::size_t count = 0;
  std::string md5;  // lower-case hexadecimal
};

struct Record {
  enum class Kind { kStatementOk, kStatementError, kQuery };

  Kind kind = Kind::kStatementOk;
  std::size_t line = 0;  // of the `statement` or `query` line, from 1
  std::string sql;

  // Of queries.
  std::string types;  // one of I, R, T for each column
  SortMode sort = SortMode::kNone;
  std::string label;  // queries of one label in one file have one result; empty: none
  std::vector<std::string> values;
  std::optional<ValuesHash> hash;  // instead of values
};

struct Script {
  std::vector<Record> records;
};

// kUsage, with the line, for text that is not a script.
Result<Script> parse_script(std::string_view text);
Result<Script> load_script(const std::filesystem::path& path);

}  // namespace skua::slt
