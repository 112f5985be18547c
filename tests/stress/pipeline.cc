#include "tests/stress/pipeline.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "protocol/codec.h"
#include "protocol/row_batch.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"

namespace skua::stress {

Pipeline::Pipeline(const std::string& socket_path) : session_(socket_path) { session_.hello(); }

std::uint64_t Pipeline::start(const Fill& fill, OnEnd on_end, Granting granting) {
  const std::uint64_t id = session_.next_id();
  append(test::RawSession::request(id, fill));
  Flight& flight = flights_[id];
  flight.on_end = std::move(on_end);
  flight.granting = granting;
  flight.started = Clock::now();
  return id;
}

std::uint64_t Pipeline::execute(std::string_view sql, std::initializer_list<std::int64_t> parameters, OnEnd on_end) {
  return start([&](wire::Request::Builder root) { fill_execute(root, sql, parameters); }, std::move(on_end));
}

void Pipeline::cancel(std::uint64_t id) {
  if (const auto found = flights_.find(id); found != flights_.end() && !found->second.cancelled) {
    found->second.cancelled = Clock::now();
  }
  start([id](wire::Request::Builder root) { root.initCancel().setRequest(id); },
        [](const Ending& ending) { test::require(!ending.error, "a cancel was refused"); });
}

void Pipeline::grant(std::uint64_t id) {
  const auto found = flights_.find(id);
  if (found == flights_.end() || found->second.ungranted_bytes == 0) return;
  const std::uint64_t bytes = std::exchange(found->second.ungranted_bytes, 0);
  append(test::RawSession::request(session_.next_id(), [&](wire::Request::Builder root) {
    auto grant = root.initGrant();
    grant.setRequest(id);
    grant.setBytes(bytes);
  }));
}

void Pipeline::flush() {
  if (!unsent_.empty()) session_.send(unsent_);
  unsent_.clear();
}

void Pipeline::take_arrived() {
  while (!session_.is_silent_for_ms(0)) take(session_.receive());
  flush();
}

void Pipeline::take(const Frame& frame) {
  MessageView view(frame.view());
  const auto response = view.root<wire::Response>();
  const std::uint64_t id = response.getId();
  const auto found = flights_.find(id);
  test::require(found != flights_.end(), fmt::format("a response to request {}, which is not under way: {}", id,
                                                     response.isError() ? view_of(response.getError().getMessage()) : ""));
  Flight& flight = found->second;
  if (response.isProgress()) return;
  if (response.isRows()) {
    add_rows(response.getRows(), flight.ending);
    flight.ungranted_bytes += frame.byte_count();
    if (!response.getRows().hasDone()) {
      if (flight.granting == Granting::kAtOnce) grant(id);
      return;
    }
    flight.ending.summary = read_summary(response.getRows().getDone());
  }
  if (response.isDone()) flight.ending.summary = read_summary(response.getDone());
  if (response.isError()) flight.ending.error = read_error(response.getError());
  if (response.isProgram()) {
    for (const auto step : response.getProgram().getSteps()) {
      if (step.isError() && !flight.ending.error) flight.ending.error = read_error(step.getError());
    }
  }
  const Clock::time_point now = Clock::now();
  flight.ending.took = now - flight.started;
  if (flight.cancelled) flight.ending.since_cancel = now - *flight.cancelled;
  const auto ended = flights_.extract(found);
  ended.mapped().on_end(ended.mapped().ending);
}

void Pipeline::add_rows(wire::Rows::Reader rows, Ending& ending) {
  const RowBatchReader batch = test::must(RowBatchReader::open(rows.getBatch()), "reading rows");
  ending.rows += batch.row_count();
  for (std::size_t column = 0; column < std::min<std::size_t>(batch.column_count(), 2); ++column) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      const ValueView value = batch.at(row, column);
      if (value.kind() == ValueKind::kInteger) ending.sums[column] += value.integer();
    }
  }
}

void Pipeline::wait() {
  pollfd watched{descriptor(), POLLIN, 0};
  const int patience_ms = static_cast<int>(std::chrono::milliseconds(test::kPatience).count());
  if (!session_.is_silent_for_ms(0)) return;
  test::require(::poll(&watched, 1, patience_ms) != 0, "a request never ends");
}

void Pipeline::wait_for(std::uint64_t id) {
  flush();
  while (is_under_way(id)) {
    wait();
    take_arrived();
  }
}

void Pipeline::wait_for_all() {
  flush();
  while (!flights_.empty()) {
    wait();
    take_arrived();
  }
}

void fill_execute(wire::Request::Builder root, std::string_view sql, std::initializer_list<std::int64_t> parameters,
                  std::uint32_t window_bytes) {
  auto execute = root.initExecute();
  fill_text(execute.initSql(static_cast<unsigned>(sql.size())), sql);
  execute.setWindowBytes(window_bytes);
  auto values = execute.initParameters(static_cast<unsigned>(parameters.size()));
  unsigned i = 0;
  for (const std::int64_t parameter : parameters) values[i++].setInteger(parameter);
}

}  // namespace skua::stress
