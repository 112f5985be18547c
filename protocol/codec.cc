#include "protocol/codec.h"

#include <fmt/format.h>

#include <cstring>

namespace skua {

static_assert(static_cast<int>(ErrorCode::kInternal) == static_cast<int>(wire::ErrorCode::INTERNAL));
static_assert(static_cast<int>(ErrorCode::kSql) == static_cast<int>(wire::ErrorCode::SQL));
static_assert(static_cast<int>(ErrorCode::kLimit) == static_cast<int>(wire::ErrorCode::LIMIT));
static_assert(static_cast<int>(ErrorCode::kTransactionAborted) ==
              static_cast<int>(wire::ErrorCode::TRANSACTION_ABORTED));
static_assert(static_cast<int>(ErrorCode::kCorrupt) == static_cast<int>(wire::ErrorCode::CORRUPT));
static_assert(static_cast<int>(TransactionState::kAborted) == static_cast<int>(wire::TransactionState::ABORTED));

namespace {

constexpr std::uint16_t kNewestErrorCode = static_cast<std::uint16_t>(ErrorCode::kCorrupt);

}  // namespace

Error malformed_message(const kj::Exception& exception) {
  const kj::StringPtr description = exception.getDescription();
  return make_error(ErrorCode::kProtocol,
                    fmt::format("malformed message: {}", std::string_view(description.begin(), description.size())));
}

void fill_text(capnp::Text::Builder out, std::string_view text) {
  SKUA_CHECK(out.size() == text.size());
  if (!text.empty()) std::memcpy(out.begin(), text.data(), text.size());
}

void write_error(const Error& error, wire::Error::Builder out) {
  out.setCode(static_cast<wire::ErrorCode>(error.code));
  out.setSqliteCode(error.sqlite_code);
  out.setSqlOffset(error.sql_offset);
  fill_text(out.initMessage(static_cast<kj::uint>(error.message.size())), error.message);
  out.setTransaction(static_cast<wire::TransactionState>(error.transaction));
  out.setRow(error.row);
}

Error read_error(wire::Error::Reader in) {
  const auto code = static_cast<std::uint16_t>(in.getCode());
  Error error;
  error.code = code <= kNewestErrorCode ? static_cast<ErrorCode>(code) : ErrorCode::kInternal;
  error.sqlite_code = in.getSqliteCode();
  error.sql_offset = in.getSqlOffset();
  error.message = std::string(view_of(in.getMessage()));
  error.transaction = static_cast<TransactionState>(in.getTransaction());
  error.row = in.getRow();
  return error;
}

void write_summary(const Summary& summary, wire::Done::Builder out) {
  out.setChanges(summary.changes);
  out.setLastInsertRowid(summary.last_insert_rowid);
  out.setTransaction(static_cast<wire::TransactionState>(summary.transaction));
  out.setRowCount(summary.row_count);
  out.setServerUs(summary.server_us);
}

Summary read_summary(wire::Done::Reader in) {
  Summary summary;
  summary.changes = in.getChanges();
  summary.last_insert_rowid = in.getLastInsertRowid();
  summary.transaction = static_cast<TransactionState>(in.getTransaction());
  summary.row_count = in.getRowCount();
  summary.server_us = in.getServerUs();
  return summary;
}

void write_columns(const std::vector<ColumnInfo>& columns, capnp::List<wire::ColumnInfo>::Builder out) {
  SKUA_CHECK(out.size() == columns.size());
  for (kj::uint i = 0; i < out.size(); ++i) {
    const ColumnInfo& column = columns[i];
    fill_text(out[i].initName(static_cast<kj::uint>(column.name.size())), column.name);
    if (column.declared_type.empty()) continue;
    fill_text(out[i].initDeclaredType(static_cast<kj::uint>(column.declared_type.size())), column.declared_type);
  }
}

std::vector<ColumnInfo> read_columns(capnp::List<wire::ColumnInfo>::Reader in) {
  std::vector<ColumnInfo> columns;
  columns.reserve(in.size());
  for (const auto column : in) {
    columns.push_back({std::string(view_of(column.getName())), std::string(view_of(column.getDeclaredType()))});
  }
  return columns;
}

void write_parameter(const ValueView& value, wire::Parameter::Builder out) {
  switch (value.kind()) {
    case ValueKind::kNull: out.setNull(); break;
    case ValueKind::kInteger: out.setInteger(value.integer()); break;
    case ValueKind::kReal: out.setReal(value.real()); break;
    case ValueKind::kText: out.setText(data_of(value.bytes())); break;
    case ValueKind::kBlob: out.setBlob(data_of(value.bytes())); break;
  }
}

Result<ValueView> read_parameter(wire::Parameter::Reader in) {
  switch (in.which()) {
    case wire::Parameter::NULL_: return ValueView::null();
    case wire::Parameter::INTEGER: return ValueView::integer(in.getInteger());
    case wire::Parameter::REAL: return ValueView::real(in.getReal());
    case wire::Parameter::TEXT: return ValueView::text(view_of(in.getText()));
    case wire::Parameter::BLOB: return ValueView::blob(view_of(in.getBlob()));
  }
  return make_error(ErrorCode::kProtocol,
                    fmt::format("unknown kind of parameter {}", static_cast<unsigned>(in.which())));
}

Frame error_response(std::uint64_t request, const Error& error) {
  FrameBuilder frame(32 + error.message.size() / 8);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request);
  write_error(error, response.initError());
  return frame.finish();
}

}  // namespace skua
