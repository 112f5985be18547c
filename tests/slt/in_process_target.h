// InProcessTarget: SQLite itself, set up as the daemon sets it up. The runner's own reference.
#pragma once

#include <memory>

#include "tests/slt/target.h"

struct sqlite3;
struct sqlite3_stmt;

namespace skua::slt {

class InProcessTarget final : public Target {
 public:
  static Result<std::unique_ptr<InProcessTarget>> open();

  Status execute(std::string_view sql) override;
  Result<Answer> query(std::string_view sql, std::string_view types) override;
  bool is_open() const override { return true; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using StatementPointer = std::unique_ptr<sqlite3_stmt, Finalize>;

  explicit InProcessTarget(sqlite3* database) : database_(database) {}
  Result<StatementPointer> prepare(std::string_view sql);
  Error last_error() const;

  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace skua::slt
