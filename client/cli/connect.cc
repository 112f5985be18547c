#include "client/cli/connect.h"

namespace skua::cli {

Result<Connection> connect_to(const ConnectionArguments& arguments) {
  ConnectOptions options;
  options.socket_path = arguments.socket_path;
  options.database = arguments.database;
  options.client_name = "skua";
  return Connection::connect(options);
}

}  // namespace skua::cli
