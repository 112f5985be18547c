// Config: the file's keys, the command line's databases, and what is checked over all of them.
#include "daemon/config.h"

#include <criterion/criterion.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/build_paths.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::test;

namespace {

Config read(std::string_view text) {
  const TemporaryDirectory folder;
  Config config;
  must(read_config_file(folder.write("skua.toml", text), config), std::string(text));
  return config;
}

// Expects an error at that line, and returns what it says there.
std::string error_at(int line, std::string_view text) {
  const TemporaryDirectory folder;
  const std::string file = folder.write("skua.toml", text);
  Config config;
  const Status status = read_config_file(file, config);
  require(!status, "this was read: " + std::string(text));
  require(status.error().code == ErrorCode::kUsage, "the error is the operator's");
  const std::string place = fmt::format("{}:{}: ", file, line);
  require(status.error().message.starts_with(place), "expected " + place + ", got " + status.error().message);
  return status.error().message.substr(place.size());
}

void expect_error_at(int line, std::string_view text, std::string_view expected) {
  const std::string error = error_at(line, text);
  require(error == expected, fmt::format("expected \"{}\", got \"{}\"", expected, error));
}

Error check_error(const Config& config) {
  const Status status = check_config(config);
  require(!status, "the configuration was accepted");
  return status.error();
}

Config with_databases(const std::vector<std::string>& arguments) {
  Config config;
  for (const std::string& argument : arguments) must(add_database(argument, config), argument);
  return config;
}

}  // namespace

Test(config, reads_every_key) {
  const Config config = read(R"(socket = "/run/other.sock"
[databases.shop]
file = "/var/lib/shop.db"
create = false
foreign_keys = false
trusted_schema = true
checkpoint_pages = 77
[databases."with space"]
file = "space.db"
[limits]
sessions_max = 12
held_result_bytes_max = 5_000_000_000
[access]
users = ["alex", 1000]
groups = ["staff", 50]
[log]
level = "debug"
target = "journal"
)");
  cr_assert(config.socket_path == "/run/other.sock");
  cr_assert_eq(config.databases.size(), 2u);
  const DatabaseOptions& shop = config.databases[0];
  cr_assert(shop.name == "shop" && shop.file == "/var/lib/shop.db");
  cr_assert(!shop.create && !shop.foreign_keys && shop.trusted_schema);
  cr_assert_eq(shop.checkpoint_pages, 77u);
  const DatabaseOptions& other = config.databases[1];
  cr_assert(other.name == "with space" && other.file == "space.db");
  cr_assert(other.create && other.foreign_keys && !other.trusted_schema);
  cr_assert_eq(other.checkpoint_pages, 1000u);
  cr_assert_eq(config.limits.sessions_max, 12u);
  cr_assert_eq(config.limits.held_result_bytes_max, 5'000'000'000u);
  cr_assert_eq(config.limits.reader_threads, Limits().reader_threads);
  cr_assert(config.access_users == std::vector<std::string>({"alex", "1000"}));
  cr_assert(config.access_groups == std::vector<std::string>({"staff", "50"}));
  cr_assert(config.log_level == "debug");
  cr_assert_eq(config.log_target, LogTarget::kJournal);
}

Test(config, an_empty_file_changes_nothing) {
  const Config config = read("# nothing but a comment\n");
  cr_assert(config.socket_path.empty() && config.databases.empty());
  cr_assert(config.log_level == "info");
  cr_assert_eq(config.log_target, LogTarget::kAuto);
}

Test(config, the_sample_of_the_package_can_be_read) {
  Config config;
  must(read_config_file(source_path("systemd/skua.toml"), config));
}

Test(config, an_unknown_key_is_an_error_at_its_line) {
  expect_error_at(2, "socket = 'a'\nsockets = 'b'\n", "unknown key 'sockets'");
  expect_error_at(3, "[databases.shop]\nfile = 'a'\nfiles = 'b'\n", "unknown key 'files'");
  expect_error_at(3, "\n[limits]\nsession_max = 1\n", "unknown key 'session_max'");
  expect_error_at(2, "[access]\nuser = ['a']\n", "unknown key 'user'");
  expect_error_at(4, "[log]\n\n\nfile = 'a'\n", "unknown key 'file'");
}

Test(config, a_value_of_another_type_is_an_error_at_its_line) {
  expect_error_at(1, "socket = 1\n", "'socket' must be a string");
  expect_error_at(2, "\ndatabases = 'a'\n", "'databases' must be a table");
  expect_error_at(2, "[databases]\nshop = 'a.db'\n", "'shop' must be a table");
  expect_error_at(2, "[databases.shop]\nfile = 1\n", "'file' must be a string");
  expect_error_at(3, "[databases.shop]\nfile = 'a'\ncreate = 'no'\n", "'create' must be true or false");
  expect_error_at(3, "[databases.shop]\nfile = 'a'\nforeign_keys = 0\n", "'foreign_keys' must be true or false");
  expect_error_at(3, "[databases.shop]\nfile = 'a'\ntrusted_schema = 1\n", "'trusted_schema' must be true or false");
  expect_error_at(1, "limits = 1\n", "'limits' must be a table");
  expect_error_at(2, "[limits]\nsessions_max = '5'\n", "'sessions_max' must be a whole number");
  expect_error_at(2, "[limits]\nsessions_max = 5.0\n", "'sessions_max' must be a whole number");
  expect_error_at(1, "access = []\n", "'access' must be a table");
  expect_error_at(2, "[access]\nusers = 'alex'\n", "'users' must be a list");
  expect_error_at(3, "[access]\nusers = ['alex',\n  true]\n", "'users' must be a string");
  expect_error_at(2, "[access]\ngroups = 'staff'\n", "'groups' must be a list");
  expect_error_at(1, "log = true\n", "'log' must be a table");
  expect_error_at(2, "[log]\nlevel = 3\n", "'level' must be a string");
  expect_error_at(2, "[log]\nlevel = 'loud'\n",
                  "unknown log level 'loud': it is trace, debug, info, warn, error or off");
  expect_error_at(2, "[log]\ntarget = 'syslog'\n", "unknown log target 'syslog': it is auto, stderr or journal");
}

Test(config, a_database_needs_a_file) {
  expect_error_at(2, "\n[databases.shop]\ncreate = true\n", "database 'shop' needs a file");
  expect_error_at(1, "databases.shop = { file = '' }\n", "database 'shop' needs a file");
}

Test(config, checkpoint_pages_are_limited) {
  const auto with_pages = [](std::int64_t pages) {
    return fmt::format("[databases.shop]\nfile = 'a'\ncheckpoint_pages = {}\n", pages);
  };
  for (const std::int64_t pages : {1, 1'000'000}) {
    cr_assert_eq(read(with_pages(pages)).databases[0].checkpoint_pages, static_cast<std::uint32_t>(pages));
  }
  for (const std::int64_t pages : {-1, 0, 1'000'001}) {
    expect_error_at(3, with_pages(pages), fmt::format("'checkpoint_pages' is {}, it must be from 1 to 1000000", pages));
  }
}

Test(config, what_is_not_toml_is_an_error_at_its_line) {
  cr_assert(!error_at(2, "socket = 'a'\nthis is no TOML\n").empty());
  cr_assert(!error_at(3, "[limits]\nsessions_max = 1\nsessions_max = 2\n").empty());
  cr_assert(!error_at(2, "[databases.shop]\nfile = 'open\n").empty());
}

Test(config, a_file_that_is_not_there_is_named) {
  const TemporaryDirectory folder;
  for (const std::string& file : {folder / "missing.toml", folder.path()}) {
    Config config;
    const Status status = read_config_file(file, config);
    cr_assert(!status);
    cr_assert_eq(status.error().code, ErrorCode::kUsage);
    cr_assert(status.error().message.starts_with("cannot read the configuration " + file));
  }
}

Test(config, a_database_of_the_command_line_is_a_name_and_a_file) {
  const Config config = with_databases({"shop=/var/lib/shop.db", "odd=a=b"});
  cr_assert(config.databases[0].name == "shop" && config.databases[0].file == "/var/lib/shop.db");
  cr_assert(config.databases[1].name == "odd" && config.databases[1].file == "a=b");
  for (const char* argument : {"shop", "=file", "shop=", "=", ""}) {
    Config unchanged;
    const Status status = add_database(argument, unchanged);
    cr_assert(!status);
    cr_assert(status.error().message == fmt::format("--database takes NAME=FILE, not '{}'", argument));
    cr_assert(unchanged.databases.empty());
  }
}

Test(config, a_database_of_the_command_line_replaces_one_of_the_file) {
  Config config = read("[databases.shop]\nfile = 'old.db'\ncreate = false\n[databases.other]\nfile = 'other.db'\n");
  must(add_database("shop=new.db", config));
  cr_assert_eq(config.databases.size(), 2u);
  cr_assert(config.databases[0].name == "other");
  cr_assert(config.databases[1].name == "shop" && config.databases[1].file == "new.db" && config.databases[1].create);
}

Test(config, there_must_be_a_database) {
  const Error error = check_error(Config());
  cr_assert_eq(error.code, ErrorCode::kUsage);
  cr_assert(error.message.starts_with("no database is named"));
  must(check_config(with_databases({"shop=a.db"})));
}

Test(config, no_file_serves_under_two_names) {
  const TemporaryDirectory folder;
  const std::string file = folder.write("shop.db", "");
  const std::string link = folder / "link.db";
  const std::string hard_link = folder / "hard.db";
  std::filesystem::create_symlink("shop.db", link);
  std::filesystem::create_hard_link(file, hard_link);
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_directory_symlink(".", folder / "here");
  for (const std::string& other : {file, link, hard_link, folder / "sub/../shop.db", folder / "here/shop.db"}) {
    const Error error = check_error(with_databases({"one=" + file, "two=" + other}));
    cr_assert(error.message == fmt::format("databases 'one' and 'two' are the same file, {}", other));
  }
  must(check_config(with_databases({"one=" + file, "two=" + (folder / "new.db")})));
}

Test(config, files_that_are_yet_to_be_created_are_compared_too) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_directory_symlink(".", folder / "here");
  std::filesystem::create_symlink("new.db", folder / "link.db");
  const std::string file = folder / "new.db";
  for (const std::string& other : {file, folder / "sub/../new.db", folder / "here/new.db", folder / "link.db"}) {
    (void)check_error(with_databases({"one=" + file, "two=" + other}));
  }
  std::filesystem::current_path(folder.path());
  (void)check_error(with_databases({"one=" + file, "two=new.db"}));
  (void)check_error(with_databases({"one=link.db", "two=new.db"}));
  std::filesystem::create_symlink("circle.db", folder / "circle.db");
  must(check_config(with_databases({"one=circle.db", "two=new.db"})));
}

Test(config, the_number_of_databases_is_limited) {
  Config config;
  for (int i = 0; i < 65'535; ++i) config.databases.push_back({.name = "x", .file = "x"});
  cr_assert(check_error(config).message.find("are the same file") != std::string::npos);
  config.databases.push_back({.name = "x", .file = "x"});
  cr_assert(check_error(config).message.find("more than 65535") != std::string::npos);
}

Test(config, the_socket_is_where_the_environment_says) {
  ::setenv("SKUA_SOCKET", "/tmp/own.sock", 1);
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  cr_assert(default_socket_path() == "/tmp/own.sock");
  ::setenv("SKUA_SOCKET", "", 1);
  cr_assert(default_socket_path() == "/run/user/7/skua/skua.sock");
  ::unsetenv("SKUA_SOCKET");
  ::setenv("XDG_RUNTIME_DIR", "", 1);
  cr_assert(default_socket_path() == "/run/skua/skua.sock");
  ::unsetenv("XDG_RUNTIME_DIR");
  cr_assert(default_socket_path() == "/run/skua/skua.sock");
}
