// skua-bench: named workloads, done by Skua and by peers in the same run, in turns; ratios are what carries
// over.
//
// Exit status: 0 done, 1 a workload failed or an operation of Skua did, 2 usage.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <optional>
#include <random>

#include "bench/contest.h"
#include "bench/peers/aiosqlite_peer.h"
#include "bench/peers/peer_names.h"
#include "bench/peers/temporary_folder.h"
#include "bench/report.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

struct Settings {
  std::vector<std::string> workloads;
  std::vector<std::string> peers;
  std::vector<std::size_t> clients;  // empty: each workload's own
  std::size_t rounds = 5;
  double seconds = 1;
  std::optional<double> warm_up_seconds;
  std::optional<std::size_t> depth;
  std::int64_t scale = 10;
  std::optional<std::int64_t> records;
  std::uint64_t seed = 0;
  std::string directory;
  std::string skuad = default_skuad();
  std::string postgres = kPostgresPrograms;
  std::string redis = kRedisPrograms;
  std::string python = kPython;
  std::string json_file;
  std::string html_file;
};

std::vector<std::string_view> workload_names() {
  std::vector<std::string_view> names;
  for (const WorkloadEntry& entry : all_workloads()) names.emplace_back(entry.name);
  return names;
}

std::vector<std::string_view> peer_names() {
  std::vector<std::string_view> names;
  for (const PeerName& peer : kPeers) names.push_back(peer.name);
  return names;
}

// Refuses a name that is not one of `names`.
CLI::Validator one_of(const char* what, const std::vector<std::string_view>& names) {
  return CLI::Validator(
      [what, names](const std::string& name) {
        if (std::find(names.begin(), names.end(), name) != names.end()) return std::string();
        return fmt::format("there is no {} \"{}\"; there are: {}", what, name, fmt::join(names, ", "));
      },
      "");
}

std::string names_for_help() {
  std::string out = "Workloads:\n";
  for (const WorkloadEntry& entry : all_workloads()) {
    out += fmt::format("  {:<24}{}; clients: {}", entry.name, entry.what, fmt::join(entry.clients, ","));
    out += entry.depth > 0 ? fmt::format("; depth: {}\n", entry.depth) : "\n";
  }
  out += "\nPeers, each in the workloads that it fits:\n";
  for (const PeerName& peer : kPeers) out += fmt::format("  {:<24}{}\n", peer.name, peer.what);
  out +=
      "\nExamples:\n"
      "  skua-bench insert --clients 1,8,32,64\n"
      "  skua-bench point pipeline --seconds 3 --warm-up 1\n"
      "  skua-bench point --clients 1,8 --depth 4 --peers \"libuv echo,redis\"\n"
      "  skua-bench tpcb --scale 1 --peers \"postgresql,threads in process\" --json tpcb.json\n";
  return out;
}

std::chrono::nanoseconds nanoseconds_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

ContestOptions contest_options(const Settings& settings) {
  ContestOptions options;
  options.rounds = settings.rounds;
  options.duration = nanoseconds_of(settings.seconds);
  options.warm_up = nanoseconds_of(settings.warm_up_seconds.value_or(settings.seconds / 10));
  options.peers = settings.peers;
  return options;
}

Status run_workload(const WorkloadEntry& entry, const BenchSetup& setup, const Settings& settings,
                    Report& report) {
  SKUA_ASSIGN(Contest contest, Contest::prepare(entry.make(setup), report.options));
  for (const std::size_t clients : settings.clients.empty() ? entry.clients : settings.clients) {
    SKUA_ASSIGN(ContestResult result, contest.run(clients));
    fmt::print("{}", result_as_text(result));
    std::fflush(stdout);
    report.results.push_back(std::move(result));
  }
  return contest.verify();
}

// Peers may fail, and their errors are figures. Skua's are a defect.
Status judge(const Report& report) {
  for (const ContestResult& result : report.results) {
    const std::uint64_t failures = result.contestants.front().failures();
    if (failures == 0) continue;
    return make_error(ErrorCode::kInternal, fmt::format("{}: {} operations of skua failed", result.workload, failures));
  }
  return {};
}

Status write_file(const std::string& text, const std::string& path) {
  std::ofstream file(path);
  file << text << '\n';
  file.close();
  if (file) return {};
  return make_error(ErrorCode::kIo, fmt::format("cannot write {}", path));
}

bool is_wanted(const WorkloadEntry& entry, const Settings& settings) {
  const auto& wanted = settings.workloads;
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), entry.name) != wanted.end();
}

// A depth that has no effect would be a wrong heading over the figures.
Status check_depth(const Settings& settings) {
  if (!settings.depth || settings.workloads.empty()) return {};
  for (const WorkloadEntry& entry : all_workloads()) {
    if (!is_wanted(entry, settings) || entry.depth > 0) continue;
    return make_error(ErrorCode::kUsage, fmt::format("{} always has one request in flight: --depth is not for it", entry.name));
  }
  return {};
}

Status run(const Settings& settings) {
  SKUA_ASSIGN(const TemporaryFolder folder, TemporaryFolder::create(settings.directory));
  SKUA_ASSIGN(const SkuaServer server, SkuaServer::start(settings.skuad, folder.path()));
  PostgresServer postgres(settings.postgres, folder / "postgres");
  RedisServer redis(settings.redis, folder / "redis");
  const BenchSetup setup{server,        postgres,       redis,          settings.python, folder.path(),
                         settings.seed, settings.scale, settings.skuad, settings.records,
                         settings.depth.value_or(0)};
  Report report;
  report.environment = look_around(folder.path());
  report.seed = settings.seed;
  report.scale = settings.scale;
  report.options = contest_options(settings);
  {
    SKUA_ASSIGN(const Connection connection, server.connect());
    report.skua_version = connection.server().server_version;
    report.skua_sqlite = connection.server().sqlite_version;
  }
  fmt::print("{}{}", environment_as_text(report), legend_as_text());
  std::fflush(stdout);
  for (const WorkloadEntry& entry : all_workloads()) {
    if (!is_wanted(entry, settings)) continue;
    SKUA_TRY(run_workload(entry, setup, settings, report));
  }
  report.load_after = load_average();
  fmt::print("\nload at the end: {:.2f} {:.2f} {:.2f}\n", report.load_after.minutes_1,
             report.load_after.minutes_5, report.load_after.minutes_15);
  if (!settings.json_file.empty()) SKUA_TRY(write_file(report_as_json(report), settings.json_file));
  if (!settings.html_file.empty()) SKUA_TRY(write_file(report_as_html(report), settings.html_file));
  return judge(report);
}

void add_options(CLI::App& app, Settings& settings) {
  app.get_formatter()->column_width(24);
  app.add_option("workloads", settings.workloads, "which (default: all)")
      ->check(one_of("workload", workload_names()));
  app.add_option("--clients", settings.clients, "client processes at once; a list gives a table for each")
      ->delimiter(',')
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N,...");
  app.add_option("--depth", settings.depth,
                 "requests in flight per connection, in workloads that can have several (default: each its own)")
      ->check(CLI::Range(std::size_t{1}, kDepthMax).description(""))
      ->type_name("N");
  app.add_option("--peers", settings.peers, "only these beside Skua (default: all that fit)")
      ->delimiter(',')
      ->check(one_of("peer", peer_names()))
      ->type_name("NAME,...");
  app.add_option("--rounds", settings.rounds, "how often each contestant has its turn (default: 5)")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N");
  app.add_option("--seconds", settings.seconds, "how long one turn is (default: 1)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("S");
  app.add_option("--warm-up", settings.warm_up_seconds,
                 "what each client does before it is measured, in seconds (default: a tenth of the turn)")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("S");
  app.add_option("--scale", settings.scale, "branches of tpcb, with 100,000 accounts each (default: 10)")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N");
  app.add_option("--records", settings.records,
                 "rows of the table that scan, stream, first-row, update, mixed, many-idle, slow-consumers or ycsb works on (default: its own)")
      ->check(CLI::Range(std::int64_t{1'000}, std::int64_t{100'000'000}).description(""))
      ->type_name("N");
  app.add_option("--seed", settings.seed, "of the keys that are asked for (default: random)")->type_name("N");
  app.add_option("--directory", settings.directory, "where all databases go (default: $TMPDIR or /tmp)")
      ->check(CLI::ExistingDirectory.description(""))
      ->type_name("DIR");
  app.add_option("--skuad", settings.skuad, "the daemon's program (default: the one beside this one)")
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  app.add_option("--postgres", settings.postgres,
                 fmt::format("where initdb and postgres are (default: {})", kPostgresPrograms))
      ->type_name("DIR");
  app.add_option("--redis", settings.redis,
                 fmt::format("where redis-server and redis-benchmark are (default: {})", kRedisPrograms))
      ->type_name("DIR");
  app.add_option("--python", settings.python,
                 fmt::format("the interpreter that has aiosqlite (default: {})", kPython))
      ->type_name("FILE");
  app.add_option("--json", settings.json_file, "write all figures to this file as well, as one JSON document")
      ->type_name("FILE");
  app.add_option("--html", settings.html_file,
                 "write a report with plots to this file as well, one HTML page that needs no other")
      ->type_name("FILE");
}

}  // namespace

}  // namespace skua::bench

namespace {

// A workload may hold more sessions than the usual 1,024 descriptors of a process allow.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  raise_descriptor_limit();
  skua::bench::Settings settings;
  settings.seed = std::random_device()();
  CLI::App app("Measures Skua beside its peers, in turns in one run, on servers and databases of its own.");
  skua::bench::add_options(app, settings);
  app.footer(skua::bench::names_for_help());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (const skua::Status depth = skua::bench::check_depth(settings); !depth) {
    fmt::print(stderr, "skua-bench: {}\n", depth.error().message);
    return 2;
  }
  const skua::Status status = skua::bench::run(settings);
  if (status) return 0;
  std::fflush(stdout);
  fmt::print(stderr, "skua-bench: {}\n", status.error().message);
  return 1;
}
