#include "tests/engine/scratch_database.h"

#include <fmt/format.h>

#include "tests/support/failure.h"

namespace skua::test {

namespace {

Result<std::vector<Row>> all_rows(Connection& connection, std::string_view sql) {
  SKUA_ASSIGN(const StatementCache::Lease statement, connection.lease(sql));
  std::vector<Row> rows;
  while (true) {
    SKUA_ASSIGN(const bool has_row, statement->step());
    if (!has_row) return rows;
    Row row;
    for (int i = 0; i < statement->column_count(); ++i) row.push_back(statement->column(i).to_value());
    rows.push_back(std::move(row));
  }
}

}  // namespace

ScratchDatabase::ScratchDatabase(DatabaseOptions options) : options_(std::move(options)) {
  options_.name = "scratch";
  options_.file = folder_ / "scratch.db";
  reopen();
}

Connection& ScratchDatabase::reader(std::uint32_t slot) { return *must(database_->reader(slot), "opening a reader"); }

void ScratchDatabase::run(const std::vector<std::string>& statements) {
  for (const std::string& sql : statements) (void)rows_of(writer(), sql);
}

void ScratchDatabase::reopen() {
  close();
  database_ = must(Database::open(options_, kReaderSlots), "opening the database");
}

std::vector<Row> rows_of(Connection& connection, std::string_view sql) {
  return must(all_rows(connection, sql), std::string(sql));
}

std::string text_of(Connection& connection, std::string_view sql) { return to_text(rows_of(connection, sql)); }

std::string to_text(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:#}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<Blob>(&value)) {
    std::string digits;
    for (const char byte : blob->bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return fmt::format("x'{}'", digits);
  }
  return "NULL";
}

std::string to_text(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    if (&row != &rows.front()) text += '\n';
    for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : "|") + to_text(row[i]);
  }
  return text;
}

Error error_of(Connection& connection, std::string_view sql) {
  auto rows = all_rows(connection, sql);
  require(!rows, fmt::format("this was not refused: {}", sql));
  return std::move(rows).error();
}

}  // namespace skua::test
