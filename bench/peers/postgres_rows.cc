#include "bench/peers/postgres_rows.h"

#include <endian.h>
#include <libpq-fe.h>

#include <bit>
#include <cstring>

namespace skua::bench {

void PostgresRows::Clear::operator()(pg_result* result) const { PQclear(result); }

std::size_t PostgresRows::count() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::int64_t PostgresRows::integer(std::size_t row, std::size_t column) const {
  return static_cast<std::int64_t>(big_endian(row, column));
}

double PostgresRows::real(std::size_t row, std::size_t column) const {
  return std::bit_cast<double>(big_endian(row, column));
}

std::string_view PostgresRows::text(std::size_t row, std::size_t column) const {
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  return {PQgetvalue(result_.get(), r, c), static_cast<std::size_t>(PQgetlength(result_.get(), r, c))};
}

std::uint64_t PostgresRows::big_endian(std::size_t row, std::size_t column) const {
  std::uint64_t value = 0;
  std::memcpy(&value, PQgetvalue(result_.get(), static_cast<int>(row), static_cast<int>(column)), sizeof(value));
  return be64toh(value);
}

}  // namespace skua::bench
