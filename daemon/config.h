// Config: all that the operator says, from the command line and the TOML file. Plain data; main thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/base/log.h"
#include "daemon/engine/database_options.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

struct Config {
  std::string socket_path;
  std::vector<DatabaseOptions> databases;
  Limits limits;
  std::vector<std::string> access_users;
  std::vector<std::string> access_groups;
  std::string log_level = "info";
  LogTarget log_target = LogTarget::kAuto;
};

// $SKUA_SOCKET, else $XDG_RUNTIME_DIR/skua/skua.sock, else /run/skua/skua.sock.
std::string default_socket_path();

// Reads a configuration file into `config`. Every error names the file and the line; unknown keys are errors.
Status read_config_file(const std::string& file, Config& config);

// `NAME=FILE` from the command line; replaces a database of that name from the file.
Status add_database(const std::string& argument, Config& config);

// What no single key can tell: at least one database, no file twice.
Status check_config(const Config& config);

}  // namespace skua
