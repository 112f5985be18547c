#include "client/cli/import_command.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "client/cli/csv_reader.h"
#include "client/cli/error_report.h"
#include "client/cli/import_start.h"
#include "client/cli/importer.h"
#include "client/cli/input_file.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress_line.h"
#include "client/cli/tsv_reader.h"

namespace skua::cli {

namespace {

bool ends_with(const std::string& name, std::string_view ending) {
  return name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

Result<ImportFormat> format_of(const ImportArguments& arguments) {
  if (arguments.format) return *arguments.format;
  if (ends_with(arguments.file, ".csv")) return ImportFormat::kCsv;
  if (ends_with(arguments.file, ".tsv") || ends_with(arguments.file, ".tab")) return ImportFormat::kTsv;
  return make_error(ErrorCode::kUsage,
                    fmt::format("the name of {} does not say its format: use --format csv or --format tsv",
                                arguments.file == "-" ? "standard input" : arguments.file));
}

std::unique_ptr<RecordReader> make_reader(ImportFormat format, const ImportArguments& arguments,
                                          RecordSink& sink) {
  const std::uint64_t first_line = 1 + arguments.skip_lines;
  if (format == ImportFormat::kTsv) return std::make_unique<TsvReader>(sink, first_line);
  return std::make_unique<CsvReader>(sink, first_line, arguments.lazy_quotes);
}

Error at_line(const InputFile& file, const RecordReader& reader, Error error) {
  error.message = fmt::format("{}:{}: {}", file.name(), reader.line(), error.message);
  return error;
}

// Returns the number of rows.
Result<std::uint64_t> import_file(const ImportArguments& arguments, InputFile& file, ImportFormat format,
                                  Connection& connection) {
  const CancelOnInterrupt cancel_on_interrupt(connection);
  Importer importer(connection, arguments, file.name());
  SKUA_TRY(importer.prepare());
  const std::unique_ptr<RecordReader> reader = make_reader(format, arguments, importer);
  ImportStart start(arguments.skip_lines);
  ProgressLine progress(!arguments.quiet, file.size_bytes());
  std::uint64_t bytes = 0;
  while (true) {
    SKUA_ASSIGN(const std::string_view piece, file.read());
    if (piece.empty()) break;
    Status added = reader->add(start.take(piece));
    // What the importer found comes before the place where the reader stopped.
    SKUA_TRY(importer.status());
    if (!added) return at_line(file, *reader, std::move(added).error());
    bytes += piece.size();
    progress.show(importer.row_count(), bytes);
  }
  Status added = reader->add(start.rest());
  if (added) added = reader->finish();
  SKUA_TRY(importer.status());
  if (!added) return at_line(file, *reader, std::move(added).error());
  SKUA_TRY(importer.finish());
  return importer.row_count();
}

std::string seconds_text(std::chrono::duration<double> time) { return fmt::format("{:.1f} s", time.count()); }

}  // namespace

ExitCode run_import(const ImportArguments& arguments, Connection& connection) {
  const auto start = std::chrono::steady_clock::now();
  const Result<ImportFormat> format = format_of(arguments);
  if (!format) {
    print_status(error_report(format.error().message));
    return exit_code_of(format.error());
  }
  Result<InputFile> file = InputFile::open(arguments.file);
  if (!file) {
    print_status(error_report(file.error().message));
    return exit_code_of(file.error());
  }
  const Result<std::uint64_t> rows = import_file(arguments, *file, *format, connection);
  if (!rows) {
    const bool in_doubt = rows.error().code == ErrorCode::kInDoubt;
    print_status(
        error_report(fmt::format("{}; {}", Interrupt::requested() ? "interrupted" : rows.error().message,
                                 in_doubt ? "the import may have happened" : "nothing was imported")));
    // A cancel may show as the end of the transaction.
    return Interrupt::requested() ? ExitCode::kInterrupted : exit_code_of(rows.error());
  }
  if (!arguments.quiet) {
    print_status(fmt::format("{} row{} imported into {} in {}", *rows, *rows == 1 ? "" : "s", arguments.table,
                             seconds_text(std::chrono::steady_clock::now() - start)));
  }
  return ExitCode::kDone;
}

}  // namespace skua::cli
