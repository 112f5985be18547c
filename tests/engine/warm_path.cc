// Counts what a point select asks of malloc(3) once it is warm, in all of core/ and engine/ over a real database: nothing but
// what SQLite itself asks for, which is a few blocks for the cursor of each statement.
//
// malloc(3) and its like are this program's own here; who called is told by the return address. No sanitizer: they have
// theirs.
#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/core/dispatcher.h"
#include "daemon/engine/sqlite_executor.h"
#include "protocol/codec.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

extern "C" void* __libc_malloc(std::size_t bytes);
extern "C" void* __libc_calloc(std::size_t count, std::size_t bytes);
extern "C" void* __libc_realloc(void* memory, std::size_t bytes);

namespace {

thread_local bool counting = false;
std::uint64_t of_sqlite = 0;
std::uint64_t of_others = 0;

void count(void* caller) {
  if (!counting) return;
  counting = false;  // dladdr(3) may allocate
  Dl_info info = {};
  const bool is_sqlite =
      dladdr(caller, &info) != 0 && info.dli_fname != nullptr && std::strstr(info.dli_fname, "sqlite3") != nullptr;
  ++(is_sqlite ? of_sqlite : of_others);
  counting = true;
}

}  // namespace

extern "C" void* malloc(std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_malloc(bytes);
}
extern "C" void* calloc(std::size_t items, std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_calloc(items, bytes);
}
extern "C" void* realloc(void* memory, std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_realloc(memory, bytes);
}

namespace skua::test {

namespace {

constexpr int kWarmUps = 2'000;
constexpr int kRequests = 10'000;

// Drops what it is sent, as a socket does that takes everything at once.
class Drain final : public ReplySink {
 public:
  void send(Frame frame) override {
    ++answers;
    if (columns_id != 0) return;
    MessageView view(frame.view());
    const auto response = view.root<wire::Response>();
    if (response.isRows()) columns_id = response.getRows().getColumnsId();
  }
  std::size_t unsent_bytes() const override { return 0; }
  void close() override {}
  std::uint64_t answers = 0;
  // Of the first rows, which a client would remember.
  std::uint64_t columns_id = 0;
};

struct Daemon {
  explicit Daemon(const TemporaryDirectory& folder) {
    loop_thread.adopt();
    SqliteExecutor::configure_process();
    DatabaseOptions database;
    database.name = "main";
    database.file = folder / "main.db";
    executor = must(SqliteExecutor::open({database}, Limits(), completions), "open");
    DispatcherOptions options;
    options.database_names = {"main"};
    dispatcher = std::make_unique<Dispatcher>(options, *executor, monotonic_us());
    session = must(dispatcher->open_session({}, sink, monotonic_us()), "session");
  }
  ~Daemon() {
    loop_thread.assert_here();
    dispatcher->on_session_closed(*session, monotonic_us());
    executor->stop();
  }

  template <class Fill>
  Frame frame_of(Fill&& fill) {
    FrameBuilder frame;
    auto root = frame.initRoot<wire::Request>();
    root.setId(++last_id);
    fill(root);
    return frame.finish();
  }

  // True if the loop thread answered at once.
  bool send(const Frame& frame) {
    loop_thread.assert_here();
    const std::uint64_t before = sink.answers;
    dispatcher->on_frame(*session, frame.view(), monotonic_us());
    const bool at_once = sink.answers > before;
    do {
      dispatcher->on_turn_end(monotonic_us());
      for (auto& job : completions.take()) dispatcher->on_job_done(std::move(job), monotonic_us());
    } while (sink.answers == before);
    return at_once;
  }

  void execute(std::string_view sql) {
    send(frame_of([&](wire::Request::Builder root) {
      fill_text(root.initExecute().initSql(static_cast<kj::uint>(sql.size())), sql);
    }));
  }

  CompletionQueue completions;
  std::unique_ptr<SqliteExecutor> executor;
  std::unique_ptr<Dispatcher> dispatcher;
  Drain sink;
  SessionState* session = nullptr;
  std::uint64_t last_id = 0;
};

int run() {
  TemporaryDirectory folder;
  Daemon daemon(folder);
  daemon.send(daemon.frame_of([](wire::Request::Builder root) {
    auto hello = root.initHello();
    hello.setVersionMin(1);
    hello.setVersionMax(1);
  }));
  daemon.execute("CREATE TABLE point(id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INTEGER)");
  daemon.execute("INSERT INTO point WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                 "SELECT i, 'item number ' || i, i * 0.25, i * 7 FROM n");
  int at_once = 0;
  std::uint64_t by_skua = 0;
  std::uint64_t by_sqlite = 0;
  for (int i = 0; i < kWarmUps + kRequests; ++i) {
    const Frame frame = daemon.frame_of([&](wire::Request::Builder root) {
      auto execute = root.initExecute();
      execute.setSql("SELECT id, name, price, stock FROM point WHERE id = ?");
      execute.initParameters(1)[0].setInteger(i % 10'000 + 1);
      execute.setKnownColumns(daemon.sink.columns_id);
    });
    of_sqlite = of_others = 0;
    counting = i >= kWarmUps;
    // Now and then a busy machine sends one to a reader's thread, which is another way.
    const bool counts = daemon.send(frame) && counting;
    counting = false;
    if (!counts) continue;
    ++at_once;
    by_skua += of_others;
    by_sqlite += of_sqlite;
  }
  const auto each = [&](std::uint64_t count) { return static_cast<double>(count) / at_once; };
  fmt::print("{} point selects on the loop thread: {:.3f} allocations each by Skua, {:.3f} by SQLite\n", at_once,
             each(by_skua), each(by_sqlite));
  require(at_once > kRequests / 2, "the loop thread answers short reads");
  return by_skua == 0 ? 0 : 1;
}

}  // namespace

}  // namespace skua::test

int main() { return skua::test::run(); }
