// ColumnInfo: what a result says of one of its columns. Any thread.
#pragma once

#include <string>

namespace skua {

struct ColumnInfo {
  std::string name;
  std::string declared_type;  // as in CREATE TABLE; empty for an expression

  friend bool operator==(const ColumnInfo&, const ColumnInfo&) = default;
};

}  // namespace skua
