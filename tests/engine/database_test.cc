// Database: what it says when a file cannot be opened, and what it leaves behind.
#include "daemon/engine/database.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/engine/expectations.h"
#include "tests/engine/scratch_database.h"
#include "tests/support/process.h"

using namespace skua;
using namespace skua::test;

namespace {

DatabaseOptions options_of(const std::string& file) {
  DatabaseOptions options;
  options.name = "shop";
  options.file = file;
  return options;
}

Error open_error(const DatabaseOptions& options) {
  auto database = Database::open(options, 1);
  require(!database, options.file + " was opened");
  require(database.error().message.starts_with("database 'shop': "), "the error names the database");
  return std::move(database).error();
}

// A small database that another program made, not in WAL mode.
std::string made_elsewhere(const TemporaryDirectory& folder) {
  const std::string file = folder / "shop.db";
  const ProcessEnd end = run({"sqlite3", file, "CREATE TABLE item(name TEXT); INSERT INTO item VALUES ('Milk');"});
  require(end.exit_status == 0, "the sqlite3 shell failed: " + end.error);
  return file;
}

std::vector<std::string> files_in(const TemporaryDirectory& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// A sqlite3 shell that has the file open; `script` is what it does first.
class Holder {
 public:
  Holder(const std::string& file, const std::string& vfs, const std::string& script)
      : process_({"sqlite3", "-batch", "-vfs", vfs, file}, {.keep_input_open = true}) {
    process_.write(script + "\n.print ready\n");
    process_.read_until("ready");
  }
  pid_t pid() const { return process_.pid(); }
  void end() {
    process_.close_input();
    (void)process_.wait();
  }

 private:
  Process process_;
};

}  // namespace

Test(database, a_missing_file_is_created_in_wal_mode) {
  const TemporaryDirectory folder;
  const auto database = must(Database::open(options_of(folder / "shop.db"), 1));
  expect_text(text_of(database->writer(), "PRAGMA journal_mode"), "wal");
  expect_text(text_of(database->writer(), "PRAGMA encoding"), "UTF-8");
  cr_assert(std::filesystem::exists(folder / "shop.db-wal"));
  // The WAL index is in the daemon's memory.
  cr_assert(!std::filesystem::exists(folder / "shop.db-shm"));
}

Test(database, an_empty_file_is_a_database) {
  const TemporaryDirectory folder;
  const auto database = must(Database::open(options_of(folder.write("shop.db", "")), 1));
  expect_text(text_of(database->writer(), "SELECT count(*) FROM sqlite_schema"), "0");
}

Test(database, a_database_in_another_journal_mode_is_taken_to_wal) {
  const TemporaryDirectory folder;
  const std::string file = made_elsewhere(folder);
  {
    const auto database = must(Database::open(options_of(file), 1));
    expect_text(text_of(database->writer(), "PRAGMA journal_mode"), "wal");
    expect_text(text_of(*must(database->reader(0)), "SELECT name FROM item"), "Milk");
  }
  expect_text(run({"sqlite3", file, "PRAGMA journal_mode; SELECT name FROM item"}).output, "wal\nMilk\n");
}

Test(database, takes_up_what_a_killed_owner_left_in_the_log) {
  const TemporaryDirectory folder;
  const std::string file = made_elsewhere(folder);
  {
    Holder victim(file, "unix", "PRAGMA journal_mode=WAL; INSERT INTO item VALUES ('Bread');");
    cr_assert(std::filesystem::file_size(file + "-wal") > 0);
  }  // killed
  const auto database = must(Database::open(options_of(file), 1));
  expect_text(text_of(database->writer(), "SELECT name FROM item ORDER BY name"), "Bread\nMilk");
}

Test(database, an_orderly_close_leaves_the_file_alone) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)", "INSERT INTO t VALUES (1)"});
  expect_text(text_of(scratch.reader(0), "SELECT a FROM t"), "1");
  expect_text(text_of(scratch.reader(3), "SELECT a FROM t"), "1");
  cr_assert(std::filesystem::exists(scratch.file() + "-wal"));
  scratch.close();
  cr_assert(!std::filesystem::exists(scratch.file() + "-wal"));
  cr_assert(!std::filesystem::exists(scratch.file() + "-shm"));
  expect_text(run({"sqlite3", scratch.file(), "SELECT a FROM t; PRAGMA integrity_check"}).output, "1\nok\n");
}

Test(database, readers_are_opened_once_for_each_slot) {
  ScratchDatabase scratch;
  cr_assert_eq(&scratch.reader(0), &scratch.reader(0));
  cr_assert(&scratch.reader(0) != &scratch.reader(ScratchDatabase::kReaderSlots - 1));
  cr_assert_eq(scratch.reader(1).role(), ConnectionRole::kReader);
  cr_assert_eq(scratch.writer().role(), ConnectionRole::kWriter);
}

Test(database, a_missing_folder_is_named) {
  const TemporaryDirectory folder;
  const Error error = open_error(options_of(folder / "missing/shop.db"));
  expect_error(error, ErrorCode::kNotFound, "the folder " + (folder / "missing") + " does not exist");
}

Test(database, a_missing_file_that_may_not_be_created_is_an_error) {
  const TemporaryDirectory folder;
  DatabaseOptions options = options_of(folder / "shop.db");
  options.create = false;
  expect_error(open_error(options), ErrorCode::kNotFound, "create = false");
  cr_assert(files_in(folder).empty());
  options.file = made_elsewhere(folder);
  (void)must(Database::open(options, 1));
}

Test(database, a_folder_is_not_a_database) {
  const TemporaryDirectory folder;
  expect_error(open_error(options_of(folder.path())), ErrorCode::kIo, folder.path());
}

Test(database, what_is_no_database_is_left_byte_for_byte_as_it_is) {
  const TemporaryDirectory folder;
  for (const std::string& content : {std::string("This is a letter, not a database.\n"), std::string(100'000, 'x')}) {
    const std::string file = folder.write("shop.db", content);
    expect_error(open_error(options_of(file)), ErrorCode::kCorrupt, "is not an SQLite database");
    cr_assert(read_file(file) == content);
    cr_assert_eq(files_in(folder).size(), 1u);
  }
}

Test(database, a_damaged_schema_is_found_when_it_is_opened) {
  const TemporaryDirectory folder;
  const std::string file = made_elsewhere(folder);
  std::string content = read_file(file);
  content.replace(content.find("CREATE TABLE"), 12, "CREATX TABLE");
  folder.write("shop.db", content);
  expect_error(open_error(options_of(file)), ErrorCode::kCorrupt, "is damaged");
  cr_assert(read_file(file) == content);
}

Test(database, a_file_cut_short_is_found_when_it_is_opened_or_read) {
  const TemporaryDirectory folder;
  const std::string file = made_elsewhere(folder);
  std::filesystem::resize_file(file, 4096);
  auto database = Database::open(options_of(file), 1);
  const Error error = database ? error_of((*database)->writer(), "SELECT * FROM item") : database.error();
  cr_assert_eq(error.code, ErrorCode::kCorrupt);
}

Test(database, a_file_of_another_skuad_is_refused_with_its_pid) {
  const TemporaryDirectory folder;
  const std::string file = made_elsewhere(folder);
  Holder holder(file, "unix-excl", "PRAGMA journal_mode=WAL; INSERT INTO item VALUES ('Bread');");
  const Error error = open_error(options_of(file));
  expect_error(error, ErrorCode::kUnavailable, fmt::format("is in use by process {} (sqlite3)", holder.pid()));
  holder.end();
  const auto database = must(Database::open(options_of(file), 1));
  expect_text(text_of(database->writer(), "SELECT count(*) FROM item"), "2");
}

Test(database, a_file_that_another_program_reads_is_refused_with_its_pid) {
  const TemporaryDirectory folder;
  const std::string file = made_elsewhere(folder);
  Holder holder(file, "unix", "PRAGMA journal_mode=WAL; BEGIN; SELECT * FROM item;");
  expect_error(open_error(options_of(file)), ErrorCode::kUnavailable, fmt::format("process {}", holder.pid()));
  holder.end();
  (void)must(Database::open(options_of(file), 1));
}

Test(database, locks_every_other_process_out_for_as_long_as_it_is_open) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  expect_text(text_of(scratch.reader(), "SELECT count(*) FROM t"), "0");
  const ProcessEnd end = run({"sqlite3", scratch.file(), "SELECT count(*) FROM t"});
  cr_assert(end.exit_status != 0);
  cr_assert(end.error.find("locked") != std::string::npos, "%s", end.error.c_str());
  scratch.close();
  expect_text(run({"sqlite3", scratch.file(), "SELECT count(*) FROM t"}).output, "0\n");
}

Test(database, a_file_it_may_not_write_is_an_error) {
  if (::geteuid() == 0) cr_skip_test("root may write everything: run this test as another user");
  const TemporaryDirectory folder;
  const std::string file = made_elsewhere(folder);
  require(::chmod(file.c_str(), 0444) == 0, "chmod");
  expect_error(open_error(options_of(file)), ErrorCode::kIo, "must be readable and writable by the daemon");
  require(::chmod(file.c_str(), 0) == 0, "chmod");
  expect_error(open_error(options_of(file)), ErrorCode::kIo, file);
  require(::chmod(folder.path().c_str(), 0555) == 0, "chmod");
  expect_error(open_error(options_of(folder / "new.db")), ErrorCode::kIo, "must be writable");
  require(::chmod(folder.path().c_str(), 0755) == 0, "chmod");
}
