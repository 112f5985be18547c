#include "tests/cli/printing.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/failure.h"

namespace skua::test {

std::string printed(const cli::PrintOptions& options, const std::vector<std::string>& columns,
                    const Rows& rows) {
  const int file = open_memory_file();
  cli::OutputFile out(file);
  std::vector<ColumnInfo> infos;
  for (const std::string& name : columns) infos.push_back({name, ""});
  const Columns named(std::move(infos));
  const auto printer = cli::make_row_printer(options, out);
  printer->begin(named);
  for (const std::vector<Value>& row : rows) {
    std::vector<ValueView> views;
    for (const Value& value : row) views.push_back(ValueView::of(value));
    printer->row(views);
  }
  printer->end();
  out.flush();
  const std::string bytes = content_of(file);
  ::close(file);
  return bytes;
}

std::string printed(cli::Format format, const std::vector<std::string>& columns, const Rows& rows) {
  cli::PrintOptions options;
  options.format = format;
  return printed(options, columns, rows);
}

std::string content_of(int descriptor) {
  std::string bytes;
  char piece[4096];
  off_t offset = 0;
  while (true) {
    const ssize_t size = ::pread(descriptor, piece, sizeof(piece), offset);
    require(size >= 0, "pread");
    if (size == 0) return bytes;
    bytes.append(piece, static_cast<std::size_t>(size));
    offset += size;
  }
}

int open_memory_file() {
  const int file = ::memfd_create("output", MFD_CLOEXEC);
  require(file >= 0, "memfd_create");
  return file;
}

}  // namespace skua::test
