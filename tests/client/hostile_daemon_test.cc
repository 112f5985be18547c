// Responses that no daemon should send: each ends the connection with an error, and none crashes the client.
#include <criterion/criterion.h>

#include <cstring>

#include "client/src/response.h"
#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"
#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

// Overwrites the tag of the response's union: its data section begins behind the frame's header and the root
// pointer.
Frame with_tag(Frame frame, std::uint16_t tag) {
  std::memcpy(reinterpret_cast<char*>(frame.words()) + 16 + 8, &tag, sizeof(tag));
  return frame;
}

// What a ping says when this is the answer.
Error ping_answered_with(std::string_view bytes) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send(bytes);
  const Status status = connection.ping();
  cr_assert(!status);
  cr_assert(!connection.is_open());
  cr_assert_eq(connection.ping().error().code, ErrorCode::kLost);
  return status.error();
}

void refused(std::string_view bytes) {
  const Error error = ping_answered_with(bytes);
  cr_assert_eq(error.code, ErrorCode::kProtocol);
}

void refused(const Frame& frame) { refused(frame.bytes()); }

std::uint64_t bytes_in(const Batch& batch) {
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    for (std::size_t column = 0; column < batch.column_count(); ++column) {
      for (const char byte : batch.at(row, column).bytes()) sum += static_cast<unsigned char>(byte);
    }
  }
  return sum;
}

}  // namespace

Test(hostile_daemon, sends_bytes_that_are_no_frame) {
  refused("HTTP/1.1 400 Bad Request\r\n\r\n");
  refused(std::string(64, '\xff'));
  refused(std::string(64, '\0'));
}

Test(hostile_daemon, claims_a_frame_of_any_size) {
  const std::uint32_t header[] = {0, 0x7fffffff};
  refused(std::string_view(reinterpret_cast<const char*>(header), sizeof(header)));
}

Test(hostile_daemon, sends_an_unknown_kind_of_response) {
  refused(with_tag(done_response(2, {}), 6));
  refused(with_tag(done_response(2, {}), 0xffff));
}

Test(hostile_daemon, answers_with_another_kind) {
  refused(response(2, [](auto root) { root.initDescription(); }));
  refused(response(2, [](auto root) { root.initHello(); }));
  refused(rows_response(2, {.numbers = {1}, .is_first = true, .is_last = true}));
}

Test(hostile_daemon, answers_requests_that_are_not_under_way) {
  refused(done_response(3, {}));
  refused(done_response(0xffffffffffffffff, {}));
  refused(error_response(3, make_error(ErrorCode::kSql, "")));
  // The hello has had its answer.
  refused(done_response(1, {}));
  refused(done_response(0, {}));
}

Test(hostile_daemon, ends_a_request_twice) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  daemon.send_done(2);
  (void)connection.ping().has_value();
  (void)connection.ping().has_value();
  cr_assert(!connection.is_open());
}

Test(hostile_daemon, sends_batches_that_contradict_themselves) {
  refused(response(2, [](auto root) {
    auto batch = root.initRows().initBatch();
    batch.setRowCount(3);
    batch.initColumns(1)[0].initIntegers(2);
  }));
}

Test(hostile_daemon, sends_rows_with_more_or_fewer_columns_than_the_result) {
  for (const std::size_t columns : {0u, 2u}) {
    FakeDaemon daemon;
    Connection connection = daemon.connect();
    daemon.send_rows(2, {.numbers = {1}, .is_first = true});
    RowStream stream = must(connection.stream("SELECT n"));
    cr_assert(must(stream.next()));
    RowBatchBuilder batch(columns);
    for (std::size_t i = 0; i < columns; ++i) batch.append_integer(1);
    batch.end_row();
    daemon.send(response(2, [&](auto root) { batch.write(root.initRows().initBatch()); }));
    cr_assert_eq(stream.next().error().code, ErrorCode::kProtocol);
    cr_assert(!connection.is_open());
  }
}

Test(hostile_daemon, sends_rows_without_ever_naming_columns) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_rows(2, {.numbers = {1}, .is_last = true});
  cr_assert_eq(connection.execute("SELECT n").error().code, ErrorCode::kProtocol);
}

Test(hostile_daemon, leaves_a_statement_in_doubt_with_a_malformed_answer) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send(with_tag(done_response(2, {}), 77));
  const auto result = connection.execute("INSERT INTO t VALUES (1)");
  cr_assert_eq(result.error().code, ErrorCode::kInDoubt);
  cr_assert(result.error().message.find("unknown kind of response 77") != std::string::npos);
}

Test(hostile_daemon, sends_random_bytes) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    FakeDaemon daemon;
    Connection connection = daemon.connect();
    std::string bytes = random.bytes(static_cast<std::size_t>(random.between(0, 200)) * 8);
    const std::uint32_t header[] = {0, static_cast<std::uint32_t>(bytes.size() / 8)};
    if (!random.one_in(8)) bytes = std::string(reinterpret_cast<const char*>(header), sizeof(header)) + bytes;
    daemon.send(bytes);
    daemon.stop_sending();
    cr_assert(!connection.ping());
    cr_assert(!connection.is_open());
  }
}

Test(hostile_daemon, sends_damaged_responses) {
  Random random;
  std::uint64_t sum = 0;
  for (int round = 0; round < 20'000; ++round) {
    RowBatchBuilder batch(2);
    for (int row = 0; row < 10; ++row) {
      batch.append_text("some text");
      if (random.one_in(2))
        batch.append_null();
      else
        batch.append_blob("bytes");
      batch.end_row();
    }
    Frame frame = response(2, [&](wire::Response::Builder root) {
      if (random.one_in(2)) {
        auto rows = root.initRows();
        write_columns({{"a", "TEXT"}, {"b", ""}}, rows.initColumns(2));
        batch.write(rows.initBatch());
      } else {
        auto steps = root.initProgram().initSteps(2);
        auto rows = steps[0].initRows();
        write_columns({{"a", "TEXT"}, {"b", ""}}, rows.initColumns(2));
        batch.write(rows.initBatch());
        write_error(make_error(ErrorCode::kSql, "message"), steps[1].initError());
      }
    });
    auto* bytes = reinterpret_cast<unsigned char*>(frame.words());
    for (std::int64_t flips = random.between(1, 6); flips > 0; --flips) {
      const auto at = random.between(8, static_cast<std::int64_t>(frame.byte_count()) - 1);
      bytes[at] = static_cast<unsigned char>(random.word());
    }
    const Result<Response> read = read_response(std::move(frame));
    if (!read) continue;
    if (const auto* rows = std::get_if<RowsReply>(&read->body)) sum += bytes_in(rows->batch);
    if (const auto* program = std::get_if<ProgramResult>(&read->body)) {
      for (const StepResult& step : program->steps) {
        for (const Row row : step.rows) {
          for (std::size_t column = 0; column < row.size(); ++column) sum += row[column].bytes().size();
        }
      }
    }
  }
  cr_assert_gt(sum, 0);
}
