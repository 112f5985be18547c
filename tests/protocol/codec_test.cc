// The codec: errors, summaries, columns and parameters to the wire and back, and what is malformed.
#include "protocol/codec.h"
#include "protocol/short_frames.h"

#include <criterion/criterion.h>

#include <cstring>
#include <limits>

#include "tests/support/random.h"

using namespace skua;

namespace {

// Writes the number into the data section of a frame's root struct, as another version of the schema might.
void overwrite(Frame& frame, std::size_t byte, std::uint16_t value) {
  // The frame's header and the root pointer are a word each.
  std::memcpy(reinterpret_cast<char*>(frame.words()) + 16 + byte, &value, sizeof(value));
}

Error round_trip(const Error& error) {
  const Frame frame = error_response(5, error);
  MessageView view(frame.view());
  const auto response = view.root<wire::Response>();
  cr_assert_eq(response.getId(), 5);
  cr_assert(response.isError());
  return read_error(response.getError());
}

}  // namespace

Test(codec, carries_every_error_code) {
  for (std::uint16_t code = 0; code <= static_cast<std::uint16_t>(ErrorCode::kCorrupt); ++code) {
    const Error read = round_trip(make_error(static_cast<ErrorCode>(code), "message"));
    cr_assert_eq(static_cast<std::uint16_t>(read.code), code);
    cr_assert(to_string(read.code) != "unknown");
  }
}

Test(codec, carries_every_field_of_an_error) {
  Error error = make_error(ErrorCode::kConstraint, "UNIQUE constraint failed: ümläut.id");
  error.sqlite_code = 2067;
  error.sql_offset = 17;
  error.transaction = TransactionState::kAborted;
  error.row = 123'456'789'012;
  const Error read = round_trip(error);
  cr_assert_eq(read.code, error.code);
  cr_assert(read.message == error.message);
  cr_assert_eq(read.sqlite_code, error.sqlite_code);
  cr_assert_eq(read.sql_offset, error.sql_offset);
  cr_assert_eq(read.transaction, error.transaction);
  cr_assert_eq(read.row, error.row);
}

Test(codec, unset_fields_of_an_error_stay_unknown) {
  const Error read = round_trip(make_error(ErrorCode::kSql, ""));
  cr_assert_eq(read.sql_offset, -1);
  cr_assert_eq(read.row, -1);
  cr_assert(read.message.empty());
}

Test(codec, takes_an_unknown_error_code_for_an_internal_error) {
  Error error = make_error(ErrorCode::kSql, "from a newer daemon");
  error.code = static_cast<ErrorCode>(18);
  const Error read = round_trip(error);
  cr_assert_eq(read.code, ErrorCode::kInternal);
  cr_assert(read.message == "from a newer daemon");
}

Test(codec, carries_a_summary) {
  Summary summary;
  summary.changes = std::numeric_limits<std::uint64_t>::max();
  summary.last_insert_rowid = std::numeric_limits<std::int64_t>::min();
  summary.transaction = TransactionState::kOpen;
  summary.row_count = 77;
  summary.server_us = 88;
  const Frame frame = done_response(9, summary);
  MessageView view(frame.view());
  const Summary read = read_summary(view.root<wire::Response>().getDone());
  cr_assert_eq(read.changes, summary.changes);
  cr_assert_eq(read.last_insert_rowid, summary.last_insert_rowid);
  cr_assert_eq(read.transaction, summary.transaction);
  cr_assert_eq(read.row_count, summary.row_count);
  cr_assert_eq(read.server_us, summary.server_us);
}

Test(codec, carries_columns) {
  const std::vector<ColumnInfo> columns = {
      {"id", "INTEGER"}, {"count(*)", ""}, {"", "TEXT"}, {"täg", "VARCHAR(10)"}};
  FrameBuilder builder;
  auto rows = builder.initRoot<wire::Rows>();
  write_columns(columns, rows.initColumns(4));
  const Frame frame = builder.finish();
  MessageView view(frame.view());
  cr_assert(read_columns(view.root<wire::Rows>().getColumns()) == columns);
}

Test(codec, carries_parameters) {
  const Value values[] = {Null{},        std::numeric_limits<std::int64_t>::min(),
                          -0.0,          std::string("a\0b", 3),
                          std::string(), Blob{"\xff\0"},
                          Blob{}};
  for (const Value& value : values) {
    FrameBuilder builder;
    write_parameter(ValueView::of(value), builder.initRoot<wire::Parameter>());
    const Frame frame = builder.finish();
    MessageView view(frame.view());
    const auto read = read_parameter(view.root<wire::Parameter>());
    cr_assert(read.has_value());
    cr_assert(read->to_value() == value);
  }
}

Test(codec, refuses_a_kind_of_parameter_it_does_not_know) {
  FrameBuilder builder;
  builder.initRoot<wire::Parameter>().setInteger(1);
  Frame frame = builder.finish();
  overwrite(frame, 0, 5);
  MessageView view(frame.view());
  const auto read = read_parameter(view.root<wire::Parameter>());
  cr_assert(!read);
  cr_assert_eq(read.error().code, ErrorCode::kProtocol);
}

Test(codec, turns_a_malformed_message_into_an_error) {
  Frame frame = Frame::zeroed(3);
  // A header that claims two words, and a root pointer far out of them.
  const std::uint32_t words[] = {0, 2, 0x7ffffffc, 0x00030005};
  std::memcpy(frame.words(), words, sizeof(words));
  const Status status = guarded([&]() -> Status {
    MessageView view(frame.view());
    (void)view.root<wire::Response>().getId();
    return {};
  });
  cr_assert(!status);
  cr_assert_eq(status.error().code, ErrorCode::kProtocol);
  cr_assert(status.error().message.starts_with("malformed message: "));
}

Test(codec, lets_errors_of_the_body_through) {
  const Status status = guarded([]() -> Status { return make_error(ErrorCode::kLimit, "as it is"); });
  cr_assert_eq(status.error().code, ErrorCode::kLimit);
}

Test(error, says_what_may_be_retried_and_what_ends_a_transaction) {
  cr_assert(make_error(ErrorCode::kUnavailable, "").is_retryable());
  cr_assert(make_error(ErrorCode::kLost, "").is_retryable());
  cr_assert(!make_error(ErrorCode::kInDoubt, "").is_retryable());
  cr_assert(!make_error(ErrorCode::kSql, "").is_retryable());
  cr_assert(make_error(ErrorCode::kInDoubt, "").ends_transaction());
  cr_assert(!make_error(ErrorCode::kConstraint, "").ends_transaction());
  Error aborted = make_error(ErrorCode::kConstraint, "");
  aborted.transaction = TransactionState::kAborted;
  cr_assert(aborted.ends_transaction());
}
