// Connecting: where the socket is, what is wrong with it, and hello.
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "client/src/unix_socket.h"
#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::test;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Error refused(const std::string& path) {
  const auto connection = Connection::connect({.socket_path = path});
  cr_assert(!connection);
  return connection.error();
}

// A listening socket at the path, or with `listening` false one that nobody listens on any more.
FileDescriptor socket_at(const std::string& path, bool listening) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  cr_assert_eq(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  if (listening) cr_assert_eq(::listen(socket.get(), 1), 0);
  return socket;
}

Error refused_hello(FakeDaemon& daemon) {
  const auto channel = Channel::open(daemon.client_end(), {.connect_timeout_ms = 60'000});
  cr_assert(!channel);
  return channel.error();
}

}  // namespace

Test(default_socket_path, follows_the_environment) {
  ::setenv("SKUA_SOCKET", "/one", 1);
  ::setenv("XDG_RUNTIME_DIR", "/two", 1);
  cr_assert(default_socket_path() == "/one");
  ::setenv("SKUA_SOCKET", "", 1);
  cr_assert(default_socket_path() == "/two/skua/skua.sock");
  ::unsetenv("XDG_RUNTIME_DIR");
  cr_assert(default_socket_path() == "/run/skua/skua.sock");
}

Test(connect, takes_the_longest_path_and_refuses_one_byte_more) {
  const Error fits = refused("/" + std::string(106, 'x'));
  cr_assert_eq(fits.code, ErrorCode::kConnect);
  const Error too_long = refused("/" + std::string(107, 'x'));
  cr_assert_eq(too_long.code, ErrorCode::kUsage);
  cr_assert(contains(too_long.message, "108") && contains(too_long.message, "107"), "%s",
            too_long.message.c_str());

  TemporaryDirectory folder;
  const std::string path = folder / std::string(107 - folder.path().size() - 1, 's');
  cr_assert_eq(path.size(), 107);
  const FileDescriptor listener = socket_at(path, true);
  cr_assert(connect_unix(path, 1'000).has_value());
}

Test(connect, says_how_to_start_a_daemon_when_there_is_no_socket) {
  TemporaryDirectory folder;
  const Error error = refused(folder / "skua.sock");
  cr_assert_eq(error.code, ErrorCode::kConnect);
  cr_assert(contains(error.message, "skuad --socket " + (folder / "skua.sock")), "%s", error.message.c_str());
}

Test(connect, says_that_nobody_listens) {
  TemporaryDirectory folder;
  const FileDescriptor socket = socket_at(folder / "skua.sock", false);
  const Error error = refused(folder / "skua.sock");
  cr_assert_eq(error.code, ErrorCode::kConnect);
  cr_assert(contains(error.message, "nobody listens"), "%s", error.message.c_str());
}

Test(connect, says_that_permission_is_missing) {
  if (::geteuid() == 0) {
    // Root may do everything; someone else has to try.
    cr_assert_eq(::setresuid(65534, 65534, 65534), 0);
  }
  TemporaryDirectory folder;
  const FileDescriptor listener = socket_at(folder / "skua.sock", true);
  cr_assert_eq(::chmod((folder / "skua.sock").c_str(), 0), 0);
  const Error error = refused(folder / "skua.sock");
  cr_assert_eq(error.code, ErrorCode::kConnect);
  cr_assert(contains(error.message, "permission") && contains(error.message, std::to_string(::geteuid())), "%s",
            error.message.c_str());
}

Test(connect, gives_up_on_a_daemon_that_does_not_accept) {
  TemporaryDirectory folder;
  const FileDescriptor listener = socket_at(folder / "skua.sock", true);
  // Fills the backlog.
  std::vector<FileDescriptor> waiting;
  while (true) {
    auto socket = connect_unix(folder / "skua.sock", 50);
    if (!socket) {
      cr_assert_eq(socket.error().code, ErrorCode::kConnect);
      cr_assert(contains(socket.error().message, "within 50 ms"), "%s", socket.error().message.c_str());
      return;
    }
    waiting.push_back(std::move(*socket));
    cr_assert_lt(waiting.size(), 1'000);
  }
}

Test(hello, tells_who_speaks_and_learns_who_answers) {
  FakeDaemon daemon;
  daemon.send_hello();
  auto channel = must(Channel::open(daemon.client_end(), {.client_name = "a test"}));
  ReceivedRequest request = daemon.receive();
  cr_assert_eq(request.root().getId(), 1);
  cr_assert(request.root().isHello());
  cr_assert(request.root().getHello().getClientName() == "a test");
  cr_assert_eq(request.root().getHello().getVersionMin(), 1);
  cr_assert_eq(request.root().getHello().getVersionMax(), 1);

  const Connection connection(channel);
  cr_assert(connection.is_open());
  cr_assert(connection.server().server_version == "1.2.3");
  cr_assert(connection.server().sqlite_version == "3.40.1");
  cr_assert_eq(connection.server().session_id, 42);
  cr_assert(connection.server().databases == std::vector<std::string>({"main", "other"}));
}

Test(hello, learns_the_stream_window_or_takes_the_default) {
  FakeDaemon with;
  with.send_hello(5'000);
  cr_assert_eq(must(Channel::open(with.client_end(), {}))->stream_window_bytes(), 5'000);
  FakeDaemon without;
  without.send_hello();
  cr_assert_eq(must(Channel::open(without.client_end(), {}))->stream_window_bytes(),
               Limits{}.stream_window_bytes);
}

Test(hello, passes_on_what_the_daemon_refuses_with) {
  FakeDaemon version;
  version.send_error(1, ErrorCode::kVersion, "too old");
  cr_assert_eq(refused_hello(version).code, ErrorCode::kVersion);
  FakeDaemon full;
  full.send_error(0, ErrorCode::kLimit, "sessions_max");
  full.hang_up();
  cr_assert_eq(refused_hello(full).code, ErrorCode::kLimit);
  FakeDaemon closes;
  closes.send_error(1, ErrorCode::kAccess, "not you");
  closes.stop_sending();
  cr_assert_eq(refused_hello(closes).code, ErrorCode::kAccess);
}

Test(hello, refuses_a_version_it_does_not_speak) {
  FakeDaemon daemon;
  daemon.send(response(1, [](auto root) { root.initHello().setVersion(2); }));
  cr_assert_eq(refused_hello(daemon).code, ErrorCode::kVersion);
}

Test(hello, says_when_the_connection_closes_before_the_answer) {
  FakeDaemon daemon;
  daemon.stop_sending();
  cr_assert_eq(refused_hello(daemon).code, ErrorCode::kConnect);
  FakeDaemon gone;
  gone.hang_up();
  cr_assert_eq(refused_hello(gone).code, ErrorCode::kConnect);
}

Test(hello, refuses_an_answer_of_another_kind) {
  FakeDaemon daemon;
  daemon.send_done(1);
  cr_assert_eq(refused_hello(daemon).code, ErrorCode::kProtocol);
}

Test(hello, is_not_waited_for_for_ever) {
  FakeDaemon daemon;
  const auto channel = Channel::open(daemon.client_end(), {.connect_timeout_ms = 30});
  cr_assert(!channel);
  cr_assert_eq(channel.error().code, ErrorCode::kConnect);
  cr_assert(contains(channel.error().message, "30 ms"), "%s", channel.error().message.c_str());
}
