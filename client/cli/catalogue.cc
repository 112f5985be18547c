#include "client/cli/catalogue.h"

#include <fmt/format.h>

namespace skua::cli {

Status print_tables(Connection& connection, const RunOptions& options, OutputFile& out) {
  const Result<Summary> summary =
      run_statement(connection,
                    "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') "
                    "AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY name",
                    {}, options, out);
  if (!summary) return summary.error();
  return {};
}

Status print_schema(Connection& connection, const std::string& table, const RequestOptions& request,
                    OutputFile& out) {
  SKUA_ASSIGN(
      const ResultSet statements,
      connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE "
                         "'sqlite^_%' ESCAPE '^' AND (?1 = '' OR tbl_name = ?1 COLLATE NOCASE) ORDER BY "
                         "tbl_name, type <> 'table' AND type <> 'view', name",
                         Parameters::of(table), request));
  if (statements.empty() && !table.empty()) {
    return make_error(ErrorCode::kSql, fmt::format("there is no table or view named {}", table));
  }
  for (const Row row : statements) {
    out.write(row[0].bytes());
    out.write(";\n");
  }
  out.flush();
  return {};
}

}  // namespace skua::cli
