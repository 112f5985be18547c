// What the printers' tests share: rows in, the bytes printed out. One thread.
#pragma once

#include <string>
#include <vector>

#include "client/cli/row_printer.h"
#include "protocol/value.h"

namespace skua::test {

using Rows = std::vector<std::vector<Value>>;

std::string printed(const cli::PrintOptions& options, const std::vector<std::string>& columns,
                    const Rows& rows);
std::string printed(cli::Format format, const std::vector<std::string>& columns, const Rows& rows);

// Everything that was written to the descriptor of a file.
std::string content_of(int descriptor);
// A file without a name, for reading and writing.
int open_memory_file();

}  // namespace skua::test
