#include "client/cli/backup_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "client/cli/error_report.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress_line.h"

namespace skua::cli {

namespace {

std::string progress_text(const BackupProgress& progress) {
  const double share =
      100 * static_cast<double>(progress.done) / static_cast<double>(std::max<std::uint64_t>(progress.total, 1));
  if (!progress.is_fetching) {
    return fmt::format("the daemon copies: {} of {} pages, {:.0f}%", progress.done, progress.total, share);
  }
  return fmt::format("fetching: {:.1f} of {:.1f} MB, {:.0f}%", static_cast<double>(progress.done) / 1e6,
                     static_cast<double>(progress.total) / 1e6, share);
}

}  // namespace

ExitCode run_backup(const BackupArguments& arguments, Connection& connection) {
  const auto start = std::chrono::steady_clock::now();
  ProgressLine line(!arguments.quiet, 0);
  BackupOptions options;
  options.replace = arguments.replace;
  options.on_progress = [&](const BackupProgress& progress) { line.show(progress_text(progress)); };
  const CancelOnInterrupt cancel_on_interrupt(connection);
  const Result<BackupSummary> done = connection.backup(arguments.file, options);
  line.clear();
  if (!done) {
    const bool exists =
        !arguments.replace && done.error().code == ErrorCode::kUsage && std::filesystem::exists(arguments.file);
    print_status(error_report(Interrupt::requested() ? "interrupted; there is no backup"
                                                     : done.error().message + (exists ? "; --force replaces it" : "")));
    return Interrupt::requested() ? ExitCode::kInterrupted : exit_code_of(done.error());
  }
  if (!arguments.quiet) {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    print_status(fmt::format("{:.1f} MB copied to {} in {:.1f} s", static_cast<double>(done->bytes) / 1e6,
                             arguments.file, time.count()));
  }
  return ExitCode::kDone;
}

}  // namespace skua::cli
