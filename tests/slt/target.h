// Target: what a script runs against, one database that begins empty. One thread.
#pragma once

#include <string>
#include <string_view>

#include "protocol/result.h"
#include "tests/slt/answer.h"

namespace skua::slt {

class Target {
 public:
  virtual ~Target() = default;

  // Of several statements, all up to the first that fails.
  virtual Status execute(std::string_view sql) = 0;
  // The values as text_of() has them, in the order they came. A column beyond `types` is text.
  virtual Result<Answer> query(std::string_view sql, std::string_view types) = 0;
  // False once nothing more can come of it: the connection was lost.
  virtual bool is_open() const = 0;
};

}  // namespace skua::slt
