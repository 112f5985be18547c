// stress_fair: what one greedy session does to the latency of another.
//
// A session asks for one short thing after the other: a read on the loop thread, a read on a reader's lane, a write, a small
// stream. Beside it another one has thousands of point selects, or many full scans, or large batches under way. Printed are
// the latencies of the first one, by itself and beside each of them; checked is that nothing short waits for as long as it
// would if it had to wait for what is queued before it.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/codec.h"
#include "protocol/row_batch.h"
#include "tests/stress/pipeline.h"
#include "tests/support/failure.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

constexpr std::int64_t kItems = 20'000;

struct Settings {
  double seconds = 5;
  std::string program;
};

enum class Short : std::uint8_t { kInline, kLane, kWrite, kStream };
constexpr std::array<std::string_view, 4> kShortNames = {"read on the loop", "read on a lane", "write", "stream"};

struct Latencies {
  std::vector<double> ms;
  double at(double part) {
    if (ms.empty()) return 0;
    std::sort(ms.begin(), ms.end());
    return ms[std::min(static_cast<std::size_t>(part * static_cast<double>(ms.size())), ms.size() - 1)];
  }
};

double ms_of(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

void must(const Ending& ending) {
  test::require(!ending.error, ending.error ? "a request failed: " + ending.error->message : "");
}

void create_tables(Pipeline& pipeline) {
  pipeline.execute("CREATE TABLE item(id INTEGER PRIMARY KEY, value INTEGER, text TEXT)", {}, must);
  pipeline.execute(
      "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
      "SELECT i, i * 7, printf('%.*c', 100, 'x') FROM n",
      {kItems}, must);
  pipeline.execute("CREATE TABLE entry(number INTEGER)", {}, must);
  pipeline.execute("CREATE TABLE bulk(number INTEGER)", {}, must);
  pipeline.wait_for_all();
}

// The one who asks for short things.
class Modest {
 public:
  explicit Modest(const std::string& socket_path) : pipeline_(socket_path) {}

  // By kind.
  std::array<Latencies, 4> run(double seconds) {
    std::array<Latencies, 4> latencies;
    const Clock::time_point until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    // Until each has been done often enough for a median, whatever the time.
    for (std::int64_t i = 1; Clock::now() < until || i < 20; ++i) {
      for (std::size_t kind = 0; kind < latencies.size(); ++kind) {
        const std::int64_t item = i * 97 % (kItems - 300) + 1;
        const std::uint64_t id = start(static_cast<Short>(kind), item, [&](const Ending& ending) {
          must(ending);
          latencies[kind].ms.push_back(ms_of(ending.took));
        });
        pipeline_.wait_for(id);
      }
    }
    return latencies;
  }

 private:
  std::uint64_t start(Short kind, std::int64_t item, Pipeline::OnEnd on_end) {
    switch (kind) {
      case Short::kInline: return pipeline_.execute("SELECT id, value, text FROM item WHERE id = ?", {item}, std::move(on_end));
      case Short::kLane:
        return pipeline_.execute("SELECT count(*), sum(value) FROM item WHERE id BETWEEN ?1 AND ?1 + 20", {item},
                                 std::move(on_end));
      case Short::kWrite: return pipeline_.execute("INSERT INTO entry VALUES (?)", {item}, std::move(on_end));
      case Short::kStream:
        return pipeline_.execute("SELECT id, value, text FROM item WHERE id BETWEEN ?1 AND ?1 + 300", {item}, std::move(on_end));
    }
    return 0;
  }

  Pipeline pipeline_;
};

struct Load {
  std::string_view name;
  std::size_t depth;  // how many requests are under way
  bool in_one_go;     // the next ones start when all have ended
  std::function<void(Pipeline&, Pipeline::OnEnd)> start;
};

void start_batch(Pipeline& pipeline, Pipeline::OnEnd on_end) {
  static constexpr std::string_view kSql = "INSERT INTO bulk VALUES (?)";
  RowBatchBuilder rows(1);
  for (std::int64_t i = 0; i < 5'000; ++i) {
    rows.append_integer(i);
    rows.end_row();
  }
  pipeline.start(
      [&](wire::Request::Builder root) {
        auto many = root.initExecuteMany();
        fill_text(many.initSql(static_cast<unsigned>(kSql.size())), kSql);
        rows.write(many.initRows());
      },
      std::move(on_end));
}

void start_scan(Pipeline& pipeline, Pipeline::OnEnd on_end) {
  pipeline.execute("SELECT sum(a.value * b.value) FROM item a, item b WHERE b.id <= 10", {}, std::move(on_end));
}

const std::vector<Load>& loads() {
  static const std::vector<Load> kLoads = {
      {"10,000 point selects in one go", 10'000, true,
       [](Pipeline& pipeline, Pipeline::OnEnd on_end) {
         pipeline.execute("SELECT id, value FROM item WHERE id = ?", {7}, std::move(on_end));
       }},
      {"8 full scans", 8, false, start_scan},
      {"64 full scans", 64, false, start_scan},
      {"16 batches of 5,000 rows", 16, false, start_batch},
      {"64 streams", 64, false,
       [](Pipeline& pipeline, Pipeline::OnEnd on_end) {
         pipeline.execute("SELECT id, value, text FROM item", {}, std::move(on_end));
       }},
  };
  return kLoads;
}

// The greedy one, on a thread of its own from here to stop().
class Greedy {
 public:
  Greedy(const std::string& socket_path, const Load& load)
      : thread_([this, socket_path, &load] {
          try {
            run(socket_path, load);
          } catch (...) {
            failure_ = std::current_exception();
          }
        }) {}
  ~Greedy() {
    if (thread_.joinable()) stop();
  }

  // How long its requests took, from their sending on.
  Latencies stop() {
    stopping_ = true;
    thread_.join();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return std::move(latencies_);
  }

 private:
  void run(const std::string& socket_path, const Load& load) {
    Pipeline pipeline(socket_path);
    while (!stopping_ || pipeline.under_way() > 0) {
      const bool may_start = !stopping_ && (!load.in_one_go || pipeline.under_way() == 0);
      while (may_start && pipeline.under_way() < load.depth) {
        load.start(pipeline, [this](const Ending& ending) {
          must(ending);
          latencies_.ms.push_back(ms_of(ending.took));
        });
      }
      pipeline.flush();
      pipeline.wait();
      pipeline.take_arrived();
    }
  }

  std::atomic<bool> stopping_ = false;
  Latencies latencies_;
  std::exception_ptr failure_;
  std::thread thread_;
};

void run(const Settings& settings) {
  test::RealDaemon::Options options;
  options.program = settings.program;
  test::RealDaemon daemon(options);
  {
    Pipeline pipeline(daemon.socket_path());
    create_tables(pipeline);
  }
  Modest modest(daemon.socket_path());
  fmt::print("{:<32}{:<18}{:>8}{:>9}{:>9}{:>9}\n", "beside", "latency of a", "count", "p50 ms", "p99 ms", "max ms");
  const auto print = [](std::string_view beside, std::string_view name, Latencies& latencies) {
    fmt::print("{:<32}{:<18}{:>8}{:>9.2f}{:>9.2f}{:>9.2f}\n", beside, name, latencies.ms.size(), latencies.at(0.5),
               latencies.at(0.99), latencies.at(1));
  };
  auto alone = modest.run(settings.seconds / 2);
  for (std::size_t kind = 0; kind < alone.size(); ++kind) print(kind == 0 ? "nobody" : "", kShortNames[kind], alone[kind]);
  for (const Load& load : loads()) {
    Greedy greedy(daemon.socket_path(), load);
    auto beside = modest.run(settings.seconds);
    Latencies own = greedy.stop();
    for (std::size_t kind = 0; kind < beside.size(); ++kind) {
      print(kind == 0 ? load.name : "", kShortNames[kind], beside[kind]);
    }
    print("", "(its own)", own);
    for (std::size_t kind = 0; kind < beside.size(); ++kind) {
      const double bound_ms = std::max(own.at(0.5) / 3, 20 * alone[kind].at(0.5));
      test::require(beside[kind].at(0.5) < bound_ms,
                    fmt::format("beside {}, a {} takes {:.2f} ms; {:.2f} alone", load.name, kShortNames[kind],
                                beside[kind].at(0.5), alone[kind].at(0.5)));
    }
  }
  daemon.stop();
}

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("What a greedy session does to the latency of another.");
  app.add_option("--seconds", settings.seconds, "for each of the loads");
  app.add_option("--daemon", settings.program, "another skuad");
  CLI11_PARSE(app, argc, argv);
  return skua::test::run_program([&] { skua::stress::run(settings); });
}
