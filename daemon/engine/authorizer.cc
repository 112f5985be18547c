#include "daemon/engine/authorizer.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace skua {

namespace {

// Pragmas that only tell, with or without an argument.
constexpr std::array<std::string_view, 18> kTelling = {
    "collation_list",    "compile_options", "database_list", "foreign_key_check", "foreign_key_list", "function_list",
    "index_info",        "index_list",      "index_xinfo",   "integrity_check",   "module_list",      "optimize",
    "pragma_list",       "quick_check",     "table_info",    "table_list",        "table_xinfo",      "stats"};
// Pragmas that tell without an argument; with one they would change the connection that everybody shares.
constexpr std::array<std::string_view, 20> kTellingBare = {
    "auto_vacuum", "automatic_index", "busy_timeout",  "cache_size",         "cache_spill",
    "cell_size_check", "data_version", "defer_foreign_keys", "encoding", "foreign_keys",
    "freelist_count", "journal_mode", "journal_size_limit", "max_page_count", "page_count",
    "page_size", "recursive_triggers", "schema_version", "synchronous", "wal_autocheckpoint"};
// Pragmas that store a number in the file.
constexpr std::array<std::string_view, 2> kStoring = {"application_id", "user_version"};

// Functions whose time does not grow with what they are given, or no faster than it takes to read that.
constexpr std::array<std::string_view, 21> kQuickFunctions = {
    "abs",  "changes", "coalesce", "count",  "date",  "datetime", "ifnull",   "iif",   "julianday", "last_insert_rowid", "length",
    "lower", "max",    "min",      "nullif", "round", "sum",      "strftime", "time",  "unixepoch", "upper"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, const char* name) {
  return std::any_of(names.begin(), names.end(), [name](std::string_view candidate) {
    return strcasecmp(candidate.data(), name) == 0;
  });
}

}  // namespace

std::string Authorizer::take_refusal() { return std::exchange(refusal_, {}); }

int Authorizer::refuse(std::string reason) {
  if (refusal_.empty()) refusal_ = std::move(reason);
  return SQLITE_DENY;
}

int Authorizer::check_pragma(const char* name, const char* argument) {
  if (contains(kTelling, name) || contains(kStoring, name)) return SQLITE_OK;
  if (contains(kTellingBare, name)) {
    if (argument == nullptr) return SQLITE_OK;
    return refuse(fmt::format("PRAGMA {} cannot be set here: it would change a connection that all sessions share", name));
  }
  if (strcasecmp(name, "wal_checkpoint") == 0) {
    return refuse("PRAGMA wal_checkpoint is not available: the daemon runs all checkpoints by itself");
  }
  return refuse(fmt::format("PRAGMA {} is not available", name));
}

int Authorizer::callback(void* self, int action, const char* first, const char* second, const char* database,
                         const char*) {
  auto& authorizer = *static_cast<Authorizer*>(self);
  if (authorizer.internal_) return SQLITE_OK;
  switch (action) {
    case SQLITE_PRAGMA: return authorizer.check_pragma(first, second);
    case SQLITE_ATTACH:
      // What VACUUM attaches has no name; where VACUUM is allowed, it runs with the daemon's own rights.
      if (first != nullptr && *first == '\0') {
        return authorizer.refuse("VACUUM is available only as a statement by itself, and ATTACH is not available");
      }
      return authorizer.refuse("ATTACH and VACUUM INTO are not available: name each database in the configuration");
    case SQLITE_FUNCTION:
      // fts3_tokenizer() tells and takes addresses in the daemon's memory; load_extension() runs code in it.
      if (second != nullptr && (strcasecmp(second, "fts3_tokenizer") == 0 || strcasecmp(second, "load_extension") == 0)) {
        return authorizer.refuse(fmt::format("the function {} is not available", second));
      }
      if (second == nullptr || !contains(kQuickFunctions, second)) authorizer.saw_function_ = true;
      return SQLITE_OK;
    case SQLITE_READ:
      // It shows the statements of all sessions that share the connection.
      if (first != nullptr && strcasecmp(first, "sqlite_stmt") == 0) {
        return authorizer.refuse("the table sqlite_stmt is not available");
      }
      return SQLITE_OK;
    case SQLITE_DETACH: return authorizer.refuse("DETACH is not available");
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT: return authorizer.refuse("transaction control is not available in this place");
    case SQLITE_INSERT:
      // CREATE TABLE temp.x is not reported as one of those below; that its schema is written is.
      if (database == nullptr || std::strcmp(database, "temp") != 0) return SQLITE_OK;
      [[fallthrough]];
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_TEMP_INDEX:
      if (authorizer.temporary_) return SQLITE_OK;
      return authorizer.refuse(
          "TEMP objects are not available here: create them with CREATE TEMP ..., outside of a transaction");
    case SQLITE_CREATE_TEMP_TRIGGER:
      return authorizer.refuse("TEMP triggers are not available: writes run where they would not be seen");
    default: return SQLITE_OK;
  }
}

}  // namespace skua
