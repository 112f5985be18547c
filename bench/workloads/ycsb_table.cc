#include "bench/workloads/ycsb_table.h"

#include <fmt/format.h>

namespace skua::bench {

namespace {

// Odd, so that no two numbers below 2^32 have the same key; it is 2^32 over the golden ratio.
constexpr std::int64_t kSpread = 2'654'435'761;
constexpr std::int64_t kKeys = std::int64_t{1} << 32;

std::string parameter(SqlDialect dialect, std::size_t number) {
  return fmt::format("{}{}", dialect == SqlDialect::kPostgres ? '$' : '?', number);
}

}  // namespace

std::string YcsbTable::key_of(std::int64_t number) { return fmt::format("user{:010}", number * kSpread % kKeys); }

std::vector<std::string> YcsbTable::setup_statements(SqlDialect dialect) const {
  const bool postgres = dialect == SqlDialect::kPostgres;
  const std::string key = postgres
                              ? fmt::format("'user' || lpad((i::bigint * {} % {})::text, 10, '0')", kSpread, kKeys)
                              : fmt::format("printf('user%010d', i * {} % {})", kSpread, kKeys);
  std::string columns;
  std::string values;
  for (std::size_t field = 0; field < kFields; ++field) {
    columns += fmt::format(", field{} TEXT", field);
    values += postgres ? fmt::format(", left(repeat(md5((i * 10 + {})::text), 4), {})", field, kFieldBytes)
                       : fmt::format(", hex(randomblob({}))", kFieldBytes / 2);
  }
  return {
      fmt::format("CREATE TABLE {}(ycsb_key TEXT PRIMARY KEY{})", name_, columns),
      fmt::format("INSERT INTO {} WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
                  "SELECT {}{} FROM n",
                  name_, records_ - 1, key, values),
  };
}

std::string YcsbTable::read_sql(SqlDialect dialect) const {
  return fmt::format("SELECT * FROM {} WHERE ycsb_key = {}", name_, parameter(dialect, 1));
}

std::string YcsbTable::update_sql(SqlDialect dialect, std::size_t field) const {
  return fmt::format("UPDATE {} SET field{} = {} WHERE ycsb_key = {}", name_, field, parameter(dialect, 1),
                     parameter(dialect, 2));
}

std::string YcsbTable::insert_sql(SqlDialect dialect) const {
  std::string parameters = parameter(dialect, 1);
  for (std::size_t field = 0; field < kFields; ++field) parameters += ", " + parameter(dialect, field + 2);
  return fmt::format("INSERT INTO {} VALUES ({})", name_, parameters);
}

std::string YcsbTable::scan_sql(SqlDialect dialect) const {
  return fmt::format("SELECT * FROM {} WHERE ycsb_key >= {} ORDER BY ycsb_key LIMIT {}", name_, parameter(dialect, 1),
                     parameter(dialect, 2));
}

std::string YcsbTable::draw_value(std::mt19937_64& random) {
  std::string value;
  while (value.size() < kFieldBytes) {
    std::uint64_t bits = random();
    for (int i = 0; i < 8 && value.size() < kFieldBytes; ++i, bits >>= 6) {
      value += static_cast<char>(' ' + 1 + (bits & 63));
    }
  }
  return value;
}

}  // namespace skua::bench
