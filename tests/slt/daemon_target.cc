#include "tests/slt/daemon_target.h"

namespace skua::slt {

DaemonTarget::DaemonTarget(Connection connection) : connection_(std::move(connection)) {
  // What the corpus tests is SQL; waiting for the disk after each of its inserts would test the disk.
  options_.durability = Durability::kRelaxed;
}

Result<std::unique_ptr<Target>> DaemonTarget::connect(const std::string& socket_path,
                                                      const std::string& database) {
  ConnectOptions options;
  options.socket_path = socket_path;
  options.database = database;
  options.client_name = "skua-slt";
  SKUA_ASSIGN(Connection connection, Connection::connect(options));
  return std::unique_ptr<Target>(new DaemonTarget(std::move(connection)));
}

Status DaemonTarget::execute(std::string_view sql) {
  StatementSplitter splitter;
  splitter.add(sql);
  std::size_t executed = 0;
  for (auto statement = splitter.next(); statement || (statement = splitter.rest());
       statement = splitter.next()) {
    SKUA_TRY(connection_.execute(statement->sql, {}, options_));
    ++executed;
  }
  if (executed == 0) return make_error(ErrorCode::kSql, "no statement");
  return {};
}

Result<Answer> DaemonTarget::query(std::string_view sql, std::string_view types) {
  const Result<ResultSet> result = connection_.execute(sql, {}, options_);
  Answer answer;
  if (!result) {
    if (result.error().code != ErrorCode::kSql) return result.error();
    // The error says not whether preparing or stepping failed. What can be described was prepared.
    const Result<Description> description = connection_.describe(sql, options_);
    if (!description) return result.error();
    answer.column_count = description->columns.size();
    answer.failed_in_step = true;
    return answer;
  }
  answer.column_count = result->columns().size();
  answer.values.reserve(result->row_count() * answer.column_count);
  for (const Row row : *result) {
    for (std::size_t column = 0; column < answer.column_count; ++column) {
      answer.values.push_back(text_of(column < types.size() ? types[column] : 'T', row[column]));
    }
  }
  return answer;
}

}  // namespace skua::slt
