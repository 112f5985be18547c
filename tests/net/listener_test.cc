// Listener: taking a socket path, giving it back, and leaving alone what is somebody else's.
#include "daemon/net/listener.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::test;

namespace {

// sun_path has 108 bytes, and the last is a NUL (unix(7)).
constexpr std::size_t kPathBytesMax = 107;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) { require(fd >= 0, "a descriptor"); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd_); }
  int get() const { return fd_; }

 private:
  int fd_;
};

int stream_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

// A socket file made by a program that knows nothing of Skua.
int bound_socket(const std::string& path) {
  const int fd = stream_socket();
  const sockaddr_un address = address_of(path);
  require(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "bind");
  return fd;
}

bool can_connect(const std::string& path) {
  const Descriptor fd(stream_socket());
  const sockaddr_un address = address_of(path);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

mode_t mode_of(const std::string& path) {
  struct stat status = {};
  require(::lstat(path.c_str(), &status) == 0, "lstat of " + path);
  return status.st_mode & 07777;
}

// A listener on a loop of its own.
class Serving {
 public:
  explicit Serving(const Listener::Options& options) {
    loop_thread.adopt();
    loop_thread.assert_here();
    require(uv_loop_init(&loop_) == 0, "uv_loop_init");
    must(listener_.bind(options), "bind");
    must(listener_.listen(loop_, [this] { ++connections_; }), "listen");
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() { close(); }

  void close() {
    if (closed_) return;
    closed_ = true;
    listener_.close();
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  // One turn of the loop; how many connections have come so far.
  int turn() {
    uv_run(&loop_, UV_RUN_ONCE);
    return connections_;
  }

 private:
  uv_loop_t loop_ = {};
  Listener listener_;
  int connections_ = 0;
  bool closed_ = false;
};

Error bind_error(const Listener::Options& options) {
  Listener listener;
  const Status status = listener.bind(options);
  require(!status, "the path was taken: " + options.path);
  return status.error();
}

void expect_error(const Error& error, ErrorCode code, std::string_view words) {
  require(error.code == code && error.message.find(words) != std::string::npos,
          fmt::format("expected \"{}\", got {}: {}", words, to_string(error.code), error.message));
}

}  // namespace

Test(listener, serves_a_path_and_gives_it_back) {
  const TemporaryDirectory folder;
  const std::string path = folder / "skua.sock";
  Serving serving({.path = path});
  const Descriptor client(stream_socket());
  const sockaddr_un address = address_of(path);
  cr_assert_eq(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  cr_assert_eq(serving.turn(), 1);
  serving.close();
  cr_assert(!std::filesystem::exists(path));
  cr_assert(!can_connect(path));
}

Test(listener, a_path_may_be_as_long_as_the_address_takes) {
  const TemporaryDirectory folder;
  const auto path_of = [&](std::size_t bytes) {
    std::string path = folder / "";
    path.resize(bytes, 's');
    return path;
  };
  {
    const Serving serving({.path = path_of(kPathBytesMax)});
    cr_assert(can_connect(path_of(kPathBytesMax)));
  }
  const Error error = bind_error({.path = path_of(kPathBytesMax + 1)});
  expect_error(error, ErrorCode::kUsage, "the socket path has 108 bytes, the most is 107");
  cr_assert(!std::filesystem::exists(path_of(kPathBytesMax + 1) + ".lock"));
}

Test(listener, only_those_who_may_connect_can_reach_it) {
  const TemporaryDirectory folder;
  {
    const Serving serving({.path = folder / "own/skua.sock"});
    cr_assert_eq(mode_of(folder / "own"), 0700u);
    cr_assert_eq(mode_of(folder / "own/skua.sock"), 0600u);
  }
  const Serving serving({.path = folder / "all/skua.sock", .allow_others = true});
  cr_assert_eq(mode_of(folder / "all"), 0755u);
  cr_assert_eq(mode_of(folder / "all/skua.sock"), 0666u);
}

Test(listener, the_umask_changes_neither_the_socket_nor_what_is_made_after_it) {
  const TemporaryDirectory folder;
  ::umask(0027);
  const Serving serving({.path = folder / "skua.sock", .allow_others = true});
  cr_assert_eq(mode_of(folder / "skua.sock"), 0666u);
  cr_assert_eq(::umask(0022), 0027u);
}

Test(listener, a_folder_of_a_missing_folder_is_an_error) {
  const TemporaryDirectory folder;
  expect_error(bind_error({.path = folder / "a/b/skua.sock"}), ErrorCode::kIo, "cannot create the socket's folder");
}

Test(listener, a_stale_socket_is_replaced) {
  const TemporaryDirectory folder;
  const std::string path = folder / "skua.sock";
  ::close(bound_socket(path));
  cr_assert(std::filesystem::exists(path));
  cr_assert(!can_connect(path));
  const Serving serving({.path = path});
  cr_assert(can_connect(path));
}

Test(listener, a_lock_file_of_a_dead_daemon_is_no_obstacle) {
  const TemporaryDirectory folder;
  folder.write("skua.sock.lock", "");
  const Serving serving({.path = folder / "skua.sock"});
  cr_assert(can_connect(folder / "skua.sock"));
}

Test(listener, a_living_daemon_is_refused_with_its_pid_and_lives_on) {
  const TemporaryDirectory folder;
  const std::string path = folder / "skua.sock";
  Serving serving({.path = path});
  expect_error(bind_error({.path = path}), ErrorCode::kUnavailable, fmt::format("(process {})", ::getpid()));
  cr_assert(can_connect(path));
  serving.close();
  const Serving next({.path = path});
  cr_assert(can_connect(path));
}

Test(listener, a_daemon_that_does_not_listen_yet_has_the_path_already) {
  const TemporaryDirectory folder;
  const std::string path = folder / "skua.sock";
  Listener first;
  must(first.bind({.path = path}));
  expect_error(bind_error({.path = path}), ErrorCode::kUnavailable, "another daemon serves");
  cr_assert(std::filesystem::exists(path));
}

Test(listener, somebody_who_serves_the_path_without_the_lock_is_refused_too) {
  const TemporaryDirectory folder;
  const std::string path = folder / "skua.sock";
  const Descriptor other(bound_socket(path));
  cr_assert_eq(::listen(other.get(), 5), 0);
  expect_error(bind_error({.path = path}), ErrorCode::kUnavailable, fmt::format("(process {})", ::getpid()));
  cr_assert(can_connect(path));
}

Test(listener, what_is_not_a_socket_is_left_as_it_is) {
  const TemporaryDirectory folder;
  const std::string file = folder.write("file", "precious");
  std::filesystem::create_directory(folder / "folder");
  std::filesystem::create_symlink("nowhere", folder / "link");
  for (const char* name : {"file", "folder", "link"}) {
    expect_error(bind_error({.path = folder / name}), ErrorCode::kUsage, "is not a socket: it was left as it is");
  }
  cr_assert(read_file(file) == "precious");
  cr_assert(std::filesystem::is_directory(folder / "folder"));
  cr_assert(std::filesystem::is_symlink(folder / "link"));
}

Test(listener, a_refused_listener_does_not_take_the_path_away) {
  const TemporaryDirectory folder;
  const std::string path = folder / "skua.sock";
  const Serving serving({.path = path});
  for (int i = 0; i < 3; ++i) (void)bind_error({.path = path});
  cr_assert(can_connect(path));
}

Test(listener, takes_a_socket_that_already_listens_and_leaves_its_file) {
  const TemporaryDirectory folder;
  const std::string path = folder / "skua.sock";
  const int inherited = bound_socket(path);
  cr_assert_eq(::listen(inherited, 5), 0);
  {
    Serving serving({.path = path, .inherited_fd = inherited});
    const Descriptor client(stream_socket());
    const sockaddr_un address = address_of(path);
    cr_assert_eq(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    cr_assert_eq(serving.turn(), 1);
  }
  cr_assert(std::filesystem::exists(path));
  cr_assert(!std::filesystem::exists(path + ".lock"));
}

Test(listener, an_inherited_descriptor_must_be_a_listening_socket) {
  const TemporaryDirectory folder;
  const Descriptor file(::open((folder / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const Descriptor not_listening(bound_socket(folder / "skua.sock"));
  for (const int fd : {file.get(), not_listening.get()}) {
    Listener listener;
    const Status status = listener.bind({.path = "", .inherited_fd = fd});
    cr_assert(!status);
    expect_error(status.error(), ErrorCode::kUsage, "not a listening Unix stream socket");
  }
}
