// Pipeline: a session without a client library, with as many requests under way as one likes. It watches that each of them
// gets exactly one last response, and none comes that nobody asked for.
//
// start() and cancel() collect what is to be sent, flush() sends it, take_arrived() reads what is there. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/error.h"
#include "protocol/skua.capnp.h"
#include "protocol/summary.h"
#include "tests/support/raw_session.h"

namespace skua::stress {

using Clock = std::chrono::steady_clock;

// How a request ended, and what its rows came to.
struct Ending {
  std::optional<Error> error;
  Summary summary;
  std::uint64_t rows = 0;
  // Of the integers in the first and in the second column.
  std::int64_t sums[2] = {0, 0};
  Clock::duration took{};
  // Since its cancel was sent, if one was.
  std::optional<Clock::duration> since_cancel;
};

enum class Granting : std::uint8_t { kAtOnce, kNever, kByHand };

class Pipeline {
 public:
  using Fill = std::function<void(wire::Request::Builder)>;
  using OnEnd = std::function<void(const Ending&)>;

  explicit Pipeline(const std::string& socket_path);

  int descriptor() const { return session_.descriptor(); }
  std::size_t under_way() const { return flights_.size(); }
  bool is_under_way(std::uint64_t id) const { return flights_.contains(id); }

  std::uint64_t start(const Fill& fill, OnEnd on_end, Granting granting = Granting::kAtOnce);
  std::uint64_t execute(std::string_view sql, std::initializer_list<std::int64_t> parameters, OnEnd on_end);
  // Also of one that has ended: such a cancel does nothing.
  void cancel(std::uint64_t id);
  // Gives a stream the bytes back that it has sent since the last grant.
  void grant(std::uint64_t id);
  void flush();
  // Everything that has come; calls on_end of those that ended. It does not wait.
  void take_arrived();
  // Until the request has ended.
  void wait_for(std::uint64_t id);
  void wait_for_all();
  // Until something has come.
  void wait();

 private:
  struct Flight {
    OnEnd on_end;
    Granting granting = Granting::kAtOnce;
    Clock::time_point started;
    std::optional<Clock::time_point> cancelled;
    std::uint64_t ungranted_bytes = 0;
    Ending ending;
  };

  void append(const Frame& frame) { unsent_ += frame.bytes(); }
  void take(const Frame& frame);
  static void add_rows(wire::Rows::Reader rows, Ending& ending);

  test::RawSession session_;
  std::string unsent_;
  // A grant has no answer, so it is none of them.
  std::unordered_map<std::uint64_t, Flight> flights_;
};

// Fills in a statement.
void fill_execute(wire::Request::Builder root, std::string_view sql, std::initializer_list<std::int64_t> parameters,
                  std::uint32_t window_bytes = 0);

}  // namespace skua::stress
