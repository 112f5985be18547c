#include "daemon/config.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <variant>

namespace skua {

namespace {

using LimitMember = std::variant<std::uint32_t Limits::*, std::uint64_t Limits::*>;

struct LimitKey {
  std::string_view name;
  LimitMember member;
  std::uint64_t min;
  std::uint64_t max;
};

constexpr std::uint64_t kU32Max = std::numeric_limits<std::uint32_t>::max();
// Milliseconds that still fit a timer: about 24 days.
constexpr std::uint64_t kMsMax = std::numeric_limits<std::int32_t>::max();
// Ten years.
constexpr std::uint64_t kKeepMsMax = 10ull * 365 * 24 * 60 * 60 * 1000;
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 40;

const LimitKey kLimitKeys[] = {
    {"sessions_max", &Limits::sessions_max, 1, 1'000'000},
    {"requests_per_session_max", &Limits::requests_per_session_max, 1, kU32Max},
    {"request_bytes_per_session_max", &Limits::request_bytes_per_session_max, kHelloFrameBytesMax, kBytesMax},
    {"transactions_per_session_max", &Limits::transactions_per_session_max, 1, kU32Max},
    {"unsent_bytes_per_session_max", &Limits::unsent_bytes_per_session_max, kMiB, kBytesMax},
    {"stream_window_bytes", &Limits::stream_window_bytes, 1, kU32Max},
    {"stream_window_bytes_max", &Limits::stream_window_bytes_max, 1, kU32Max},
    {"held_result_bytes_max", &Limits::held_result_bytes_max, 1, kBytesMax},
    {"reader_connections_max", &Limits::reader_connections_max, 1, 65'536},
    {"reader_threads", &Limits::reader_threads, 1, 1'024},
    {"pinned_connections_max", &Limits::pinned_connections_max, 0, 65'536},
    {"siblings_wait_ms_max", &Limits::siblings_wait_ms_max, 1, kMsMax},
    {"write_queue_max", &Limits::write_queue_max, 1, kU32Max},
    {"write_wait_ms_max", &Limits::write_wait_ms_max, 1, kMsMax},
    {"group_requests_max", &Limits::group_requests_max, 1, 65'536},
    {"group_bytes_max", &Limits::group_bytes_max, 1, kBytesMax},
    {"group_wait_us", &Limits::group_wait_us, 0, 1'000'000},
    {"bulk_slice_ms_max", &Limits::bulk_slice_ms_max, 0, 10'000},
    {"transaction_idle_ms_max", &Limits::transaction_idle_ms_max, 1, kMsMax},
    {"transaction_total_ms_max", &Limits::transaction_total_ms_max, 1, kMsMax},
    {"stream_idle_ms_max", &Limits::stream_idle_ms_max, 1, kMsMax},
    {"stream_lease_ms_max", &Limits::stream_lease_ms_max, 0, kMsMax},
    {"spool_bytes_max", &Limits::spool_bytes_max, 1, kBytesMax},
    {"spool_total_bytes_max", &Limits::spool_total_bytes_max, 0, kBytesMax},
    {"response_memory_bytes_max", &Limits::response_memory_bytes_max, kMiB, kBytesMax},
    {"request_memory_bytes_max", &Limits::request_memory_bytes_max, kHelloFrameBytesMax, kBytesMax},
    {"wal_bytes_max", &Limits::wal_bytes_max, kMiB, kBytesMax},
    {"wal_drain_ms_max", &Limits::wal_drain_ms_max, 1, kMsMax},
    {"hello_ms_max", &Limits::hello_ms_max, 1, kMsMax},
    {"drain_ms_max", &Limits::drain_ms_max, 1, kMsMax},
    {"rings_max", &Limits::rings_max, 0, 65'536},
    {"busy_poll_us", &Limits::busy_poll_us, 0, 10'000},
    {"statement_cache_entries", &Limits::statement_cache_entries, 1, 1'000'000},
    {"statement_cache_bytes_max", &Limits::statement_cache_bytes_max, 0, kBytesMax},
};

// Walks one file's tables; each function reads one table and refuses what it does not know.
class ConfigReader {
 public:
  ConfigReader(const std::string& file, Config& config) : file_(file), config_(config) {}

  Status read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      const std::string_view name = key.str();
      if (name == "socket") {
        SKUA_ASSIGN(config_.socket_path, text(name, node));
      } else if (name == "databases") {
        SKUA_TRY(databases(node));
      } else if (name == "limits") {
        SKUA_TRY(limits(node));
      } else if (name == "access") {
        SKUA_TRY(access(node));
      } else if (name == "log") {
        SKUA_TRY(log(node));
      } else {
        return unknown(name, key);
      }
    }
    return {};
  }

 private:
  Error fail(const toml::source_region& at, std::string what) const {
    return make_error(ErrorCode::kUsage, fmt::format("{}:{}: {}", file_, at.begin.line, what));
  }
  Error unknown(std::string_view name, const toml::key& key) const {
    return fail(key.source(), fmt::format("unknown key '{}'", name));
  }
  Result<const toml::table*> table(std::string_view name, const toml::node& node) const {
    if (const toml::table* found = node.as_table()) return found;
    return fail(node.source(), fmt::format("'{}' must be a table", name));
  }
  Result<std::string> text(std::string_view name, const toml::node& node) const {
    if (const auto value = node.value_exact<std::string>()) return *value;
    return fail(node.source(), fmt::format("'{}' must be a string", name));
  }
  Result<bool> boolean(std::string_view name, const toml::node& node) const {
    if (const auto value = node.value_exact<bool>()) return *value;
    return fail(node.source(), fmt::format("'{}' must be true or false", name));
  }
  Result<std::uint64_t> number(std::string_view name, const toml::node& node, std::uint64_t min,
                               std::uint64_t max) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) return fail(node.source(), fmt::format("'{}' must be a whole number", name));
    if (*value < 0 || static_cast<std::uint64_t>(*value) < min || static_cast<std::uint64_t>(*value) > max) {
      return fail(node.source(), fmt::format("'{}' is {}, it must be from {} to {}", name, *value, min, max));
    }
    return static_cast<std::uint64_t>(*value);
  }
  // A list of names, or of numbers as ids.
  Result<std::vector<std::string>> names(std::string_view name, const toml::node& node) const {
    const toml::array* array = node.as_array();
    if (array == nullptr) return fail(node.source(), fmt::format("'{}' must be a list", name));
    std::vector<std::string> result;
    for (const toml::node& element : *array) {
      if (const auto id = element.value_exact<std::int64_t>()) {
        result.push_back(fmt::format("{}", *id));
        continue;
      }
      SKUA_ASSIGN(std::string one, text(name, element));
      result.push_back(std::move(one));
    }
    return result;
  }

  Status databases(const toml::node& node) {
    SKUA_ASSIGN(const toml::table* all, table("databases", node));
    for (const auto& [key, value] : *all) {
      SKUA_ASSIGN(const toml::table* one, table(key.str(), value));
      DatabaseOptions options;
      options.name = std::string(key.str());
      for (const auto& [inner_key, inner] : *one) {
        const std::string_view name = inner_key.str();
        if (name == "file") {
          SKUA_ASSIGN(options.file, text(name, inner));
        } else if (name == "create") {
          SKUA_ASSIGN(options.create, boolean(name, inner));
        } else if (name == "foreign_keys") {
          SKUA_ASSIGN(options.foreign_keys, boolean(name, inner));
        } else if (name == "trusted_schema") {
          SKUA_ASSIGN(options.trusted_schema, boolean(name, inner));
        } else if (name == "checkpoint_pages") {
          SKUA_ASSIGN(const std::uint64_t pages, number(name, inner, 1, 1'000'000));
          options.checkpoint_pages = static_cast<std::uint32_t>(pages);
        } else if (name == "idempotency_keep_ms") {
          SKUA_ASSIGN(options.idempotency_keep_ms, number(name, inner, 1000, kKeepMsMax));
        } else {
          return unknown(name, inner_key);
        }
      }
      if (options.file.empty()) return fail(value.source(), fmt::format("database '{}' needs a file", options.name));
      config_.databases.push_back(std::move(options));
    }
    return {};
  }

  Status limits(const toml::node& node) {
    SKUA_ASSIGN(const toml::table* all, table("limits", node));
    for (const auto& [key, value] : *all) {
      const std::string_view name = key.str();
      const auto* found = std::find_if(std::begin(kLimitKeys), std::end(kLimitKeys),
                                       [name](const LimitKey& candidate) { return candidate.name == name; });
      if (found == std::end(kLimitKeys)) return unknown(name, key);
      SKUA_ASSIGN(const std::uint64_t limit, number(name, value, found->min, found->max));
      if (const auto* narrow = std::get_if<std::uint32_t Limits::*>(&found->member)) {
        config_.limits.*(*narrow) = static_cast<std::uint32_t>(limit);
      } else {
        config_.limits.*(std::get<std::uint64_t Limits::*>(found->member)) = limit;
      }
    }
    return {};
  }

  Status access(const toml::node& node) {
    SKUA_ASSIGN(const toml::table* all, table("access", node));
    for (const auto& [key, value] : *all) {
      if (key.str() == "users") {
        SKUA_ASSIGN(config_.access_users, names("users", value));
      } else if (key.str() == "groups") {
        SKUA_ASSIGN(config_.access_groups, names("groups", value));
      } else {
        return unknown(key.str(), key);
      }
    }
    return {};
  }

  Status log(const toml::node& node) {
    SKUA_ASSIGN(const toml::table* all, table("log", node));
    for (const auto& [key, value] : *all) {
      if (key.str() == "level") {
        SKUA_ASSIGN(config_.log_level, text("level", value));
        if (const Status known = check_log_level(config_.log_level); !known) {
          return fail(value.source(), known.error().message);
        }
      } else if (key.str() == "target") {
        SKUA_ASSIGN(const std::string target, text("target", value));
        auto parsed = parse_log_target(target);
        if (!parsed) return fail(value.source(), parsed.error().message);
        config_.log_target = *parsed;
      } else {
        return unknown(key.str(), key);
      }
    }
    return {};
  }

  const std::string& file_;
  Config& config_;
};

// Two names of one file are one file.
std::string identity_of(const std::string& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) == 0) return fmt::format("{}:{}", status.st_dev, status.st_ino);
  std::error_code ignored;
  std::filesystem::path path = std::filesystem::absolute(file, ignored);
  // A link to a file that is yet to be created: SQLite creates it where the link points. The bound ends circles.
  for (int links = 0; links < 40 && std::filesystem::is_symlink(path, ignored); ++links) {
    path = path.parent_path() / std::filesystem::read_symlink(path, ignored);
  }
  return std::filesystem::weakly_canonical(path, ignored).string();
}

}  // namespace

std::string default_socket_path() {
  if (const char* path = std::getenv("SKUA_SOCKET"); path != nullptr && *path != '\0') return path;
  if (const char* folder = std::getenv("XDG_RUNTIME_DIR"); folder != nullptr && *folder != '\0') {
    return std::string(folder) + "/skua/skua.sock";
  }
  return "/run/skua/skua.sock";
}

Status read_config_file(const std::string& file, Config& config) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) {
    return make_error(ErrorCode::kUsage, fmt::format("cannot read the configuration {}: {}", file,
                                                     failure ? failure.message() : "it is not a file"));
  }
  try {
    const toml::table root = toml::parse_file(file);
    return ConfigReader(file, config).read(root);
  } catch (const toml::parse_error& error) {
    return make_error(ErrorCode::kUsage, fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()));
  }
}

Status add_database(const std::string& argument, Config& config) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == argument.size()) {
    return make_error(ErrorCode::kUsage, fmt::format("--database takes NAME=FILE, not '{}'", argument));
  }
  DatabaseOptions options;
  options.name = argument.substr(0, equals);
  options.file = argument.substr(equals + 1);
  std::erase_if(config.databases, [&](const DatabaseOptions& other) { return other.name == options.name; });
  config.databases.push_back(std::move(options));
  return {};
}

Status check_config(const Config& config) {
  if (config.databases.empty()) {
    return make_error(ErrorCode::kUsage, "no database is named: use --database NAME=FILE, or a [databases.NAME] section "
                                         "in the configuration");
  }
  if (config.databases.size() > 65'535) return make_error(ErrorCode::kUsage, "there are more than 65535 databases");
  std::vector<std::pair<std::string, std::string>> seen;
  for (const DatabaseOptions& options : config.databases) {
    std::string identity = identity_of(options.file);
    for (const auto& [other, name] : seen) {
      if (other != identity) continue;
      return make_error(ErrorCode::kUsage, fmt::format("databases '{}' and '{}' are the same file, {}", name,
                                                       options.name, options.file));
    }
    seen.emplace_back(std::move(identity), options.name);
  }
  return {};
}

}  // namespace skua
