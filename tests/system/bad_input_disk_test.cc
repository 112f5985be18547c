// A disk that is full: a small tmpfs, which only root can mount. Skipped, and said so, where that is not
// possible.
#include <criterion/criterion.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/system/bad_input.h"

using namespace skua;
using namespace skua::test;

namespace {

class SmallDisk {
 public:
  explicit SmallDisk(const char* size) : path_(directory_ / "disk") {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) == 0;
    if (!mounted_) std::fprintf(stderr, "SKIPPED: cannot mount a tmpfs: %s\n", std::strerror(errno));
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  bool is_mounted() const { return mounted_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  TemporaryDirectory directory_;
  std::string path_;
  bool mounted_ = false;
};

// Takes bytes from the disk until it is removed.
void fill(const std::string& path, std::size_t bytes) {
  std::ofstream file(path, std::ios::binary);
  file << std::string(bytes, 'x') << std::flush;
  require(file.good(), "cannot fill the disk");
}

}  // namespace

Test(bad_input_disk, a_full_disk_is_an_error_that_passes) {
  const SmallDisk disk("8m");
  if (!disk.is_mounted()) cr_skip_test("cannot mount a tmpfs: not root?");
  RealDaemon daemon({.databases = {{"small", disk / "small.db"}, {"main", "main.db"}}});
  Connection connection = connect(daemon, "small");
  Connection bystander = connect(daemon, "small");
  Connection elsewhere = connect(daemon, "main");
  ask(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, data)");
  fill(disk / "filler", 4'000'000);

  const std::string_view insert = "INSERT INTO t (data) VALUES (randomblob(100000))";
  std::int64_t acknowledged = 0;
  Result<ResultSet> result = connection.execute(insert);
  for (; result && acknowledged < 1'000; result = connection.execute(insert)) ++acknowledged;
  const Error error = expect_error(result, ErrorCode::kDiskFull);
  cr_expect(error.is_retryable());
  cr_expect_neq(error.message.size(), 0u);
  cr_expect_gt(acknowledged, 0);

  // Reads go on, here and there; what was acknowledged is there; writes elsewhere go on.
  cr_expect(ask(bystander, "SELECT count(*) FROM t") == std::to_string(acknowledged));
  ask(elsewhere, "CREATE TABLE t (a)");
  ask(elsewhere, "INSERT INTO t VALUES (1)");

  // A transaction that meets the full disk can be rolled back, and says if it must.
  {
    Transaction transaction = must(connection.begin());
    Status written;
    for (int i = 0; i < 100 && written; ++i) {
      const Result<ResultSet> step = transaction.execute(insert);
      if (!step) written = step.error();
    }
    if (written) written = transaction.commit();
    expect_error(written, ErrorCode::kDiskFull);
    if (transaction.is_open()) must(transaction.rollback());
  }
  cr_expect(ask(bystander, "SELECT count(*) FROM t") == std::to_string(acknowledged));

  // Room again: the same sessions write again.
  std::filesystem::remove(disk / "filler");
  must(connection.execute(insert));
  must(bystander.execute(insert));
  cr_expect(ask(bystander, "SELECT count(*) FROM t") == std::to_string(acknowledged + 2));
  cr_expect(ask(bystander, "PRAGMA integrity_check") == "ok");
  daemon.stop();
}

Test(bad_input_disk, a_backup_without_room_on_either_side_leaves_nothing) {
  const SmallDisk disk("8m");
  if (!disk.is_mounted()) cr_skip_test("cannot mount a tmpfs: not root?");
  RealDaemon daemon({.databases = {{"small", disk / "small.db"}, {"main", "main.db"}}});
  Connection small = connect(daemon, "small");
  Connection elsewhere = connect(daemon, "main");
  for (Connection* connection : {&small, &elsewhere}) {
    ask(*connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, data)");
    ask(*connection, "INSERT INTO t (data) VALUES (randomblob(900000))");
  }
  const TemporaryDirectory folder;
  // Of `small` the daemon's copy is on the full disk, of `main` the client's.
  // Which brings the log into the file, too.
  must(small.backup(folder / "copy.db"));
  std::filesystem::remove(folder / "copy.db");
  fill(disk / "filler", std::filesystem::space(disk / "small.db").available - 400'000);
  const Error error = expect_error(small.backup(folder / "copy.db"), ErrorCode::kDiskFull);
  require(contains(error.message, "has room for"), error.message);
  expect_error(elsewhere.backup(disk / "copy.db"), ErrorCode::kDiskFull);
  require(std::filesystem::is_empty(folder.path()), "half a copy stays");
  require(!std::filesystem::exists(disk / "copy.db"), "half a copy stays");
  std::filesystem::remove(disk / "filler");
  must(small.backup(folder / "copy.db"));
  must(elsewhere.backup(disk / "copy.db"));
}
