// PipedProgram: another program, with its standard input and output on pipes. It is killed when this object goes, or the
// thread that started it ends. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "client/src/file_descriptor.h"
#include "protocol/result.h"

namespace skua::bench {

class PipedProgram {
 public:
  // The first of the command is the program's path. What it writes to its standard error goes nowhere.
  static Result<PipedProgram> start(const std::vector<std::string>& command);
  PipedProgram(PipedProgram&& other) noexcept;
  PipedProgram& operator=(PipedProgram&&) = delete;
  ~PipedProgram();

  pid_t pid() const { return pid_; }
  Status write_line(std::string_view line);
  // Without its line feed. kLost at the end of the output.
  Result<std::string> read_line();
  // Closes its input, reads all that it writes until its end, and waits for that. An error if its exit status is not 0.
  Result<std::string> finish();

 private:
  PipedProgram(pid_t pid, FileDescriptor input, FileDescriptor output)
      : pid_(pid), input_(std::move(input)), output_(std::move(output)) {}
  // False at the end.
  bool read_more();

  pid_t pid_;  // -1 once moved from, or waited for
  FileDescriptor input_;
  FileDescriptor output_;
  std::string read_;  // and not yet returned
};

}  // namespace skua::bench
