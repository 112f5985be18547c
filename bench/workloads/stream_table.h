// StreamTable: the tables of the long reads: many rows of an id and three more columns, the same in every engine.
// StreamDigest: what every contestant makes of the rows it reads: proof that it read them all, and the same.
//
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/peers/postgres_server.h"
#include "bench/peers/skua_server.h"
#include "protocol/value.h"

namespace skua::bench {

struct StreamDigest {
  std::uint64_t rows = 0;
  std::uint64_t nulls = 0;
  std::int64_t integers = 0;
  double reals = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t text_ends = 0;  // the sum of the texts' last bytes

  void add_integer(std::int64_t value) { integers += value; }
  void add_real(double value) { reals += value; }
  void add_text(std::string_view value) {
    text_bytes += value.size();
    text_ends += value.empty() ? 0 : static_cast<unsigned char>(value.back());
  }
  // For columns that may have values of different kinds.
  void add(const ValueView& value) {
    switch (value.kind()) {
      case ValueKind::kNull: ++nulls; return;
      case ValueKind::kInteger: add_integer(value.integer()); return;
      case ValueKind::kReal: add_real(value.real()); return;
      case ValueKind::kText:
      case ValueKind::kBlob: add_text(value.bytes()); return;
    }
  }
  // A row of the plain table.
  void add_row(std::int64_t id, std::string_view name, double value, std::int64_t quantity) {
    ++rows;
    add_integer(id);
    add_text(name);
    add_real(value);
    add_integer(quantity);
  }
  friend bool operator==(const StreamDigest&, const StreamDigest&) = default;
};

// Unless the user wants another number.
inline constexpr std::int64_t kStreamRows = 1'000'000;

enum class StreamKind {
  kPlain,  // each column has one type: integer, text, real, integer
  kMixed,  // so too, but for `value`: integers, reals and texts in turns
  kNulls,  // the plain one; each column but the id is NULL in some rows
};

class StreamTable {
 public:
  StreamTable(StreamKind kind, std::int64_t rows) : kind_(kind), rows_(rows) {}

  StreamKind kind() const { return kind_; }
  std::int64_t rows() const { return rows_; }
  std::string name() const;
  // All rows, all columns.
  std::string select() const;
  StreamDigest digest() const;
  // The number of rows if this is the digest of all of them.
  Result<std::uint64_t> judge(const StreamDigest& expected, const StreamDigest& digest) const;

  // Each makes the table unless it is there.
  Status fill(const SkuaServer& server) const;
  Status fill(PostgresServer& server) const;  // not the mixed one, which it cannot hold
  // Returns the path of the file, which is in this folder.
  Result<std::string> fill_file(const std::string& folder) const;

 private:
  std::string create_sql(const char* integer, const char* real) const;
  std::string fill_sql() const;

  StreamKind kind_;
  std::int64_t rows_;
};

}  // namespace skua::bench
