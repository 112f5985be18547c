// PostgresRows: the rows of one libpq result, in the binary format. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

struct pg_result;

namespace skua::bench {

class PostgresRows {
 public:
  explicit PostgresRows(pg_result* result) : result_(result) {}

  std::size_t count() const;
  // Of a column of type bigint, double precision, or text.
  std::int64_t integer(std::size_t row, std::size_t column) const;
  double real(std::size_t row, std::size_t column) const;
  std::string_view text(std::size_t row, std::size_t column) const;

 private:
  friend class PostgresConnection;

  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::uint64_t big_endian(std::size_t row, std::size_t column) const;

  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace skua::bench
