// OutputFile: full disks, readers that leave.
#include "client/cli/output_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tests/cli/printing.h"

using namespace skua::cli;
using namespace skua::test;

Test(output_file, writes_when_it_is_full_and_when_told) {
  const int file = open_memory_file();
  OutputFile out(file);
  out.write("abc");
  out.repeat(3, '-');
  cr_assert(content_of(file).empty());
  out.flush();
  cr_assert(content_of(file) == "abc---");
  out.repeat(OutputFile::kFlushBytes, 'x');
  cr_assert_eq(content_of(file).size(), 6 + OutputFile::kFlushBytes);
  out.write(std::string(5 * OutputFile::kFlushBytes, 'y'));
  cr_assert_eq(content_of(file).size(), 6 + 6 * OutputFile::kFlushBytes);
  cr_assert(out.is_open());
}

Test(output_file, drops_all_after_an_error) {
  const int full = ::open("/dev/full", O_WRONLY);
  OutputFile out(full);
  out.write("a");
  cr_assert(out.is_open());
  out.flush();
  cr_assert(out.state() == OutputFile::State::kFailed);
  cr_assert_eq(out.error_number(), ENOSPC);
  out.write("b");
  out.flush();
}

Test(output_file, notices_that_its_reader_left) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  cr_assert_eq(::pipe(ends), 0);
  ::close(ends[0]);
  OutputFile out(ends[1]);
  out.write("a");
  out.flush();
  cr_assert(out.state() == OutputFile::State::kReaderGone);
}

Test(output_file, waits_for_a_descriptor_that_does_not_block) {
  int ends[2];
  cr_assert_eq(::pipe2(ends, O_NONBLOCK), 0);
  const auto size = static_cast<std::size_t>(::fcntl(ends[1], F_GETPIPE_SZ));
  const pid_t reader = ::fork();
  if (reader == 0) {
    ::close(ends[1]);
    ::fcntl(ends[0], F_SETFL, 0);
    std::size_t total = 0;
    char piece[4096];
    for (ssize_t count; (count = ::read(ends[0], piece, sizeof(piece))) > 0;)
      total += static_cast<std::size_t>(count);
    ::_exit(total == 4 * size ? 0 : 1);
  }
  ::close(ends[0]);
  OutputFile out(ends[1]);
  out.repeat(4 * size, 'x');
  out.flush();
  cr_assert(out.is_open());
  ::close(ends[1]);
  siginfo_t end = {};
  cr_assert_eq(::waitid(P_PID, static_cast<id_t>(reader), &end, WEXITED), 0);
  cr_assert_eq(end.si_status, 0);
}
