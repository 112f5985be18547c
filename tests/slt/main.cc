// skua-slt: runs SQLite's logic-test corpus through a daemon that it starts itself, one database for each file,
// several sessions at once.
//
// Exit status: 0 all records are as expected, 1 some are not, 2 usage, 77 there is no corpus on this machine.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdlib>
#include <map>

#include "tests/slt/corpus_run.h"
#include "tests/slt/daemon_target.h"
#include "tests/slt/in_process_target.h"
#include "tests/support/build_paths.h"
#include "tests/support/failure.h"
#include "tests/support/real_daemon.h"

namespace skua::slt {

namespace {

constexpr int kExitNoCorpus = 77;

struct Settings {
  std::string corpus;
  std::string unpack_to = test::build_path("sqllogictest");
  std::string known_differences = test::source_path("tests/slt/known_differences.txt");
  std::string pattern;
  std::string directory;
  std::size_t sample = 1;
  std::size_t queries_max = 0;
  std::size_t jobs = 4;
  bool in_process = false;
};

std::string default_corpus() {
  const char* given = std::getenv("SKUA_CORPUS");
  if (given != nullptr && *given != '\0') return given;
  return test::source_path("../shared/data/sqllogictest.tar.xz");
}

std::string database_name(std::size_t file) { return fmt::format("f{:02}", file); }

std::vector<CorpusFile> every_nth(std::vector<CorpusFile> files, std::size_t n) {
  if (n <= 1) return files;
  std::vector<CorpusFile> chosen;
  for (std::size_t i = 0; i < files.size(); i += n) chosen.push_back(std::move(files[i]));
  return chosen;
}

void run_through_daemon(CorpusRun& run, const Settings& settings, std::size_t file_count) {
  test::RealDaemon::Options options;
  for (std::size_t file = 0; file < file_count; ++file) {
    const std::string name = database_name(file);
    options.databases[name] =
        settings.directory.empty() ? name + ".db" : settings.directory + "/" + name + ".db";
  }
  test::RealDaemon daemon(options);
  const auto open_target = [&](std::size_t file) {
    return DaemonTarget::connect(daemon.socket_path(), database_name(file));
  };
  run.run(open_target, settings.jobs, settings.queries_max);
  daemon.stop();
}

void run_in_process(CorpusRun& run, const Settings& settings) {
  const auto open_target = [](std::size_t) -> Result<std::unique_ptr<Target>> {
    SKUA_ASSIGN(std::unique_ptr<Target> target, InProcessTarget::open());
    return target;
  };
  run.run(open_target, settings.jobs, settings.queries_max);
}

int run_corpus(const Settings& settings) {
  auto files =
      test::must(open_corpus({settings.corpus, settings.unpack_to, settings.pattern}), "opening the corpus");
  if (!files) {
    fmt::print(
        stderr,
        "SKIPPED: there is no logic-test corpus at {}, so nothing was tested. Give --corpus or SKUA_CORPUS.\n",
        settings.corpus);
    return kExitNoCorpus;
  }
  const auto known =
      test::must(KnownDifferences::load(settings.known_differences), "loading the known differences");
  const auto chosen = every_nth(std::move(*files), settings.sample);
  CorpusRun run(chosen, known);
  const auto begin = std::chrono::steady_clock::now();
  if (settings.in_process) {
    run_in_process(run, settings);
  } else {
    run_through_daemon(run, settings, chosen.size());
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  const CorpusTotals totals = run.report(stdout);
  fmt::print(
      "{} files, {} sessions at once, {:.1f} s, {} queries whose error after prepare counts as no rows\n",
      chosen.size(), settings.jobs, elapsed.count(), totals.step_errors);
  fmt::print("{}\n", to_string(totals));
  return totals.is_success() ? 0 : 1;
}

}  // namespace

}  // namespace skua::slt

int main(int argc, char** argv) {
  skua::slt::Settings settings;
  settings.corpus = skua::slt::default_corpus();
  CLI::App app("Runs SQLite's logic-test corpus through a Skua daemon of its own.");
  app.add_option("--corpus", settings.corpus,
                 "folder or .tar.xz (default: $SKUA_CORPUS, else beside the checkout)");
  app.add_option("--unpack-to", settings.unpack_to, "where an archive is unpacked once");
  app.add_option("--known-differences", settings.known_differences, "list of records that must differ");
  app.add_option("--files", settings.pattern, "only files whose name matches this shell pattern");
  app.add_option("--directory", settings.directory,
                 "an existing folder for the databases (default: a temporary one)");
  app.add_option("--sample", settings.sample, "only every Nth file");
  app.add_option("--queries", settings.queries_max, "stop each file after N queries (0: run all of it)");
  app.add_option("--jobs", settings.jobs, "sessions at once")->check(CLI::Range(1, 256));
  app.add_flag("--in-process", settings.in_process,
               "SQLite in this process instead of a daemon: checks the runner");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  int status = 1;
  const int failed = skua::test::run_program([&] { status = skua::slt::run_corpus(settings); });
  return failed != 0 ? failed : status;
}
