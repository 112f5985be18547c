// skua-bench: named workloads, done by Skua and by peers in the same run, in turns; ratios are what carries
// over.
//
// Exit status: 0 done, 1 a workload failed, 2 usage.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <random>

#include "bench/contest.h"
#include "bench/peers/temporary_folder.h"
#include "bench/report.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

struct Settings {
  std::vector<std::string> workloads;
  std::size_t rounds = 5;
  double seconds = 1;
  std::size_t clients = 1;
  std::uint64_t seed = 0;
  std::string directory;
  std::string skuad = default_skuad();
  bool json = false;
};

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const WorkloadEntry& entry : all_workloads()) names.emplace_back(entry.name);
  return names;
}

Status run(const Settings& settings) {
  SKUA_ASSIGN(const TemporaryFolder folder, TemporaryFolder::create(settings.directory));
  SKUA_ASSIGN(const SkuaServer server, SkuaServer::start(settings.skuad, folder.path()));
  const BenchSetup setup{server, folder.path(), settings.seed};
  Report report;
  report.environment = look_around(folder.path());
  report.seed = settings.seed;
  report.options.rounds = settings.rounds;
  report.options.clients = settings.clients;
  report.options.duration =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(settings.seconds));
  {
    SKUA_ASSIGN(const Connection connection, server.connect());
    report.skua_version = connection.server().server_version;
    report.skua_sqlite = connection.server().sqlite_version;
  }
  if (!settings.json) fmt::print("{}", environment_as_text(report));
  for (const WorkloadEntry& entry : all_workloads()) {
    const auto& wanted = settings.workloads;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), entry.name) == wanted.end()) continue;
    Workload workload = entry.make(setup);
    SKUA_ASSIGN(ContestResult result, run_contest(workload, report.options));
    if (!settings.json) {
      fmt::print("{}", result_as_text(result, report.options));
      std::fflush(stdout);
    }
    report.results.push_back(std::move(result));
  }
  report.load_after = load_average();
  if (settings.json) fmt::print("{}\n", report_as_json(report));
  return {};
}

}  // namespace

}  // namespace skua::bench

int main(int argc, char** argv) {
  skua::bench::Settings settings;
  settings.seed = std::random_device()();
  CLI::App app("Measures Skua beside its peers, in turns in one run, on a daemon and databases of its own.");
  app.add_option("workloads", settings.workloads, "which (default: all)")
      ->check(CLI::IsMember(skua::bench::workload_names()));
  app.add_option("--rounds", settings.rounds, "how often each contestant has its turn")
      ->check(CLI::Range(1, 1000));
  app.add_option("--seconds", settings.seconds, "how long one turn is")->check(CLI::PositiveNumber);
  app.add_option("--clients", settings.clients, "client processes at once")->check(CLI::Range(1, 1000));
  app.add_option("--seed", settings.seed, "of the keys that are asked for");
  app.add_option("--directory", settings.directory, "where the databases go (default: $TMPDIR or /tmp)")
      ->check(CLI::ExistingDirectory);
  app.add_option("--skuad", settings.skuad, "the daemon's program")->check(CLI::ExistingFile);
  app.add_flag("--json", settings.json, "print one JSON document instead of tables");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const skua::Status status = skua::bench::run(settings);
  if (status) return 0;
  fmt::print(stderr, "skua-bench: {}\n", status.error().message);
  return 1;
}
