// skua-bench as it is run, on small tables for a moment: each workload works with the real daemon, and with those of the
// peers that this machine has.
#include <criterion/criterion.h>

#include "bench/peers/skua_session.h"
#include "bench/workloads/point_table.h"
#include "tests/support/build_paths.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::bench;
using namespace skua::test;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// In its usual folder: one of a test's own is closed to the user that PostgreSQL runs as if the test is root's.
ProcessEnd run_bench(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {build_path("bin/skua-bench"), "--skuad", program_path("skuad")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command);
}

}  // namespace

Test(bench_run, every_read_workload_works) {
  const TemporaryDirectory directory;
  const std::string json_path = directory / "bench.json";
  const std::vector<std::string> workloads = {"ping",   "point",        "pipeline",     "range",     "scan",
                                              "stream", "stream-mixed", "stream-nulls", "first-row", "connect"};
  std::vector<std::string> arguments = workloads;
  for (const char* const option : {"--records", "2000", "--rounds", "1", "--seconds", "0.05", "--clients", "1", "--json"}) {
    arguments.emplace_back(option);
  }
  arguments.push_back(json_path);
  const ProcessEnd end = run_bench(arguments);
  // Which says that no operation of Skua failed; and each looks at what it reads.
  cr_assert_eq(end.exit_status, 0, "%s%s", end.output.c_str(), end.error.c_str());
  cr_assert(!contains(end.output, " failed: "), "%s", end.output.c_str());
  cr_assert(!contains(end.output, "did nothing"), "%s", end.output.c_str());
  for (const std::string& workload : workloads) {
    cr_assert(contains(end.output, "\n" + workload + ", 1 client: "), "%s", end.output.c_str());
  }
  const std::string json = read_file(json_path);
  cr_assert(contains(json, R"("clients":1,"depth":16)"), "%s", json.c_str());
}

Test(bench_run, a_depth_has_its_effect_or_is_refused) {
  const std::vector<std::string> options = {"--depth",   "3",    "--rounds",  "1",   "--seconds",
                                            "0.02",      "--clients", "2", "--peers", "libuv echo,socket echo"};
  std::vector<std::string> arguments = {"point"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const ProcessEnd point = run_bench(arguments);
  cr_assert_eq(point.exit_status, 0, "%s", point.error.c_str());
  cr_assert(contains(point.output, "3 requests in flight on each connection"), "%s", point.output.c_str());
  arguments.front() = "ping";
  const ProcessEnd ping = run_bench(arguments);
  cr_assert_eq(ping.exit_status, 2);
  cr_assert(contains(ping.error, "--depth is not for it"), "%s", ping.error.c_str());
}

Test(bench_run, a_peer_that_is_not_installed_is_named_with_its_package) {
  const ProcessEnd end =
      run_bench({"point", "pipeline", "--rounds", "1", "--seconds", "0.02", "--clients", "1", "--peers",
                 "redis,redis-benchmark,postgresql,aiosqlite", "--redis", "/nowhere", "--postgres", "/nowhere", "--python",
                 "/nowhere/python3"});
  cr_assert_eq(end.exit_status, 0, "%s", end.error.c_str());
  for (const char* const line : {
           "redis is MISSING: there is no redis-server in /nowhere (on Debian: apt-get install redis-server)",
           "redis-benchmark is MISSING: there is no redis-benchmark in /nowhere (on Debian: apt-get install redis-tools)",
           "aiosqlite is MISSING: /nowhere/python3 cannot import aiosqlite (on Debian: apt-get install python3-aiosqlite)",
       }) {
    cr_assert(contains(end.output, line), "%s", end.output.c_str());
  }
  cr_assert(contains(end.output, "postgresql is MISSING: "), "%s", end.output.c_str());
}

Test(bench_run, an_echo_is_as_large_as_the_exchange_it_stands_for) {
  const TemporaryDirectory directory;
  const SkuaServer server = must(SkuaServer::start(program_path("skuad"), directory.path()));
  must(fill_point_table(server));
  SkuaSession session = must(SkuaSession::open(server));
  const Parameters id = Parameters::of(kTypicalPointId);
  const SkuaSession::Exchange first = must(session.execute(kPointSelect, id));
  const SkuaSession::Exchange second = must(session.execute(kPointSelect, id, first.columns_id));
  const EchoSizes point = must(measure_execute(server, kPointSelect, id));
  cr_assert_eq(point.request_bytes, second.sizes.request_bytes);
  cr_assert_eq(point.answer_bytes, second.sizes.answer_bytes);
  // The columns' names and types came once.
  cr_assert_lt(second.sizes.answer_bytes, first.sizes.answer_bytes);
  // A row is more than the summary that a ping is answered with.
  const EchoSizes ping = must(measure_ping(server));
  cr_assert_gt(point.answer_bytes, ping.answer_bytes + 100);
  // A statement that fails has no size.
  cr_assert(!measure_execute(server, "SELECT * FROM missing", {}));
}
