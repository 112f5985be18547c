// The test support itself: processes and their ends, output, the notify socket, seeds.
#include <criterion/criterion.h>

#include <csignal>
#include <filesystem>

#include "tests/support/failure.h"
#include "tests/support/notify_socket.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/real_daemon.h"
#include "tests/support/temporary_directory.h"

using namespace skua::test;

Test(process, carries_input_output_and_exit_status) {
  const std::string input(1'000'000, 'x');
  const ProcessEnd outcome = run({"sh", "-c", "cat; echo oops >&2; exit 7"}, {.input = input});
  cr_assert(outcome.output == input);
  cr_assert(outcome.error == "oops\n");
  cr_assert_eq(outcome.exit_status, 7);
}

Test(process, tells_the_signal_that_ended_it) {
  Process process({"sleep", "1000"});
  cr_assert(process.is_running());
  process.send_signal(SIGTERM);
  const ProcessEnd outcome = process.wait();
  cr_assert_eq(outcome.signal, SIGTERM);
  cr_assert_eq(outcome.exit_status, -1);
}

Test(process, converses) {
  Process process({"cat"}, {.keep_input_open = true});
  process.write("one\ntwo\n");
  cr_assert(process.read_until("one\n") == "one\n");
  process.write("three\n");
  cr_assert(process.read_until("three\n") == "two\nthree\n");
  process.close_input();
  cr_assert_eq(process.wait().exit_status, 0);
}

Test(process, may_ignore_its_input) {
  const ProcessEnd outcome = run({"true"}, {.input = std::string(1'000'000, 'x')});
  cr_assert_eq(outcome.exit_status, 0);
}

Test(process, says_when_the_program_is_missing) {
  const ProcessEnd outcome = run({"/no/such/program"});
  cr_assert_eq(outcome.exit_status, 127);
  cr_assert(outcome.error.find("/no/such/program") != std::string::npos);
}

Test(process, sees_the_environment_it_was_given) {
  const ProcessEnd outcome =
      run({"sh", "-c", "echo $ADDED ${HOME-gone}"}, {.environment = {{"ADDED", "here"}}, .unset = {"HOME"}});
  cr_assert(outcome.output == "here gone\n");
}

Test(temporary_directory, goes_with_its_content) {
  std::string path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    std::filesystem::create_directories(directory / "a/b");
    cr_assert(read_file(directory.write("a/b/c", "text")) == "text");
  }
  cr_assert(!std::filesystem::exists(path));
}

Test(notify_socket, fails_when_the_process_ends_first) {
  const TemporaryDirectory directory;
  NotifySocket notify(directory / "n");
  Process process({"true"});
  try {
    notify.wait_for("READY=1", process);
    cr_assert_fail("it waited for a dead process");
  } catch (const Failure&) {
  }
}

Test(sanitizer_report, is_recognised) {
  cr_assert(has_sanitizer_report("==1==ERROR: LeakSanitizer: detected memory leaks\n"));
  cr_assert(has_sanitizer_report("WARNING: ThreadSanitizer: data race\n"));
  cr_assert(!has_sanitizer_report("ready\n"));
}

Test(random, repeats_itself_from_its_seed) {
  Random first(17);
  Random second(17);
  cr_assert(first.bytes(100) == second.bytes(100));
  cr_assert_eq(first.between(-5, 5), second.between(-5, 5));
}
