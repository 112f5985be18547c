// DaemonTarget: one database of a running daemon, through a session of its own.
#pragma once

#include <string>

#include "skua/client.h"
#include "tests/slt/target.h"

namespace skua::slt {

class DaemonTarget final : public Target {
 public:
  static Result<std::unique_ptr<Target>> connect(const std::string& socket_path, const std::string& database);

  Status execute(std::string_view sql) override;
  Result<Answer> query(std::string_view sql, std::string_view types) override;
  bool is_open() const override { return connection_.is_open(); }

 private:
  explicit DaemonTarget(Connection connection);

  Connection connection_;
  RequestOptions options_;
};

}  // namespace skua::slt
