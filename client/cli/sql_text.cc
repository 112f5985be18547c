#include "client/cli/sql_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "client/cli/real_text.h"

namespace skua::cli {

namespace {

// clang-format off
constexpr std::array<std::string_view, 147> kKeywords = {
    "ABORT", "ACTION", "ADD", "AFTER", "ALL", "ALTER", "ALWAYS", "ANALYZE", "AND", "AS", "ASC", "ATTACH",
    "AUTOINCREMENT", "BEFORE", "BEGIN", "BETWEEN", "BY", "CASCADE", "CASE", "CAST", "CHECK", "COLLATE",
    "COLUMN", "COMMIT", "CONFLICT", "CONSTRAINT", "CREATE", "CROSS", "CURRENT", "CURRENT_DATE",
    "CURRENT_TIME", "CURRENT_TIMESTAMP", "DATABASE", "DEFAULT", "DEFERRABLE", "DEFERRED", "DELETE", "DESC",
    "DETACH", "DISTINCT", "DO", "DROP", "EACH", "ELSE", "END", "ESCAPE", "EXCEPT", "EXCLUDE", "EXCLUSIVE",
    "EXISTS", "EXPLAIN", "FAIL", "FILTER", "FIRST", "FOLLOWING", "FOR", "FOREIGN", "FROM", "FULL",
    "GENERATED", "GLOB", "GROUP", "GROUPS", "HAVING", "IF", "IGNORE", "IMMEDIATE", "IN", "INDEX", "INDEXED",
    "INITIALLY", "INNER", "INSERT", "INSTEAD", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "KEY", "LAST",
    "LEFT", "LIKE", "LIMIT", "MATCH", "MATERIALIZED", "NATURAL", "NO", "NOT", "NOTHING", "NOTNULL", "NULL",
    "NULLS", "OF", "OFFSET", "ON", "OR", "ORDER", "OTHERS", "OUTER", "OVER", "PARTITION", "PLAN", "PRAGMA",
    "PRECEDING", "PRIMARY", "QUERY", "RAISE", "RANGE", "RECURSIVE", "REFERENCES", "REGEXP", "REINDEX",
    "RELEASE", "RENAME", "REPLACE", "RESTRICT", "RETURNING", "RIGHT", "ROLLBACK", "ROW", "ROWS",
    "SAVEPOINT", "SELECT", "SET", "TABLE", "TEMP", "TEMPORARY", "THEN", "TIES", "TO", "TRANSACTION",
    "TRIGGER", "UNBOUNDED", "UNION", "UNIQUE", "UPDATE", "USING", "VACUUM", "VALUES", "VIEW", "VIRTUAL",
    "WHEN", "WHERE", "WINDOW", "WITH", "WITHOUT",
};
// clang-format on

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char byte : text) {
    if (byte == quote) out += quote;
    out += byte;
  }
  out += quote;
  return out;
}

std::size_t replace_all(std::string& text, char byte, std::string_view with) {
  std::size_t count = 0;
  for (std::size_t at = text.find(byte); at != std::string::npos; at = text.find(byte, at + with.size())) {
    text.replace(at, 1, with);
    ++count;
  }
  return count;
}

// A text that does not occur in the other, to stand for a line end in it.
std::string unused_text(std::string_view text, std::string_view first, std::string_view second) {
  if (text.find(first) == std::string_view::npos) return std::string(first);
  if (text.find(second) == std::string_view::npos) return std::string(second);
  for (unsigned i = 0;; ++i) {
    const std::string candidate = fmt::format("({}{})", first, i);
    if (text.find(candidate) == std::string_view::npos) return candidate;
  }
}

// One line of SQL whatever the text: line ends are put back by replace().
std::string text_literal(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return fmt::format("CAST(X'{}' AS TEXT)", to_hex(text));
  const std::string line_feed = unused_text(text, "\\n", "\\012");
  const std::string carriage_return = unused_text(text, "\\r", "\\015");
  std::string literal = quoted_text(text);
  const bool has_line_feed = replace_all(literal, '\n', line_feed) > 0;
  const bool has_carriage_return = replace_all(literal, '\r', carriage_return) > 0;
  if (has_carriage_return) literal = fmt::format("replace({},'{}',char(13))", literal, carriage_return);
  if (has_line_feed) literal = fmt::format("replace({},'{}',char(10))", literal, line_feed);
  return literal;
}

std::string real_literal(double value) {
  // SQL has no word for infinity, but SQLite reads a number that is too large as it.
  if (std::isinf(value)) return value > 0 ? "1e999" : "-1e999";
  // Whole numbers are exact this way; RealText loses the last bits of some.
  constexpr double kIntegerEnd = 9223372036854775808.0;
  if (value >= -kIntegerEnd && value < kIntegerEnd && value == std::trunc(value)) {
    return fmt::format("{}.0", static_cast<std::int64_t>(value));
  }
  return std::string(RealText(value, RealText::kSqlDigits).view());
}

}  // namespace

std::span<const std::string_view> keywords() { return kKeywords; }

bool is_keyword(std::string_view word) {
  std::string upper(word);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::toupper(byte)); });
  return std::binary_search(kKeywords.begin(), kKeywords.end(), upper);
}

std::string quoted_identifier(std::string_view name) { return quoted(name, '"'); }

std::string short_identifier(std::string_view name) {
  const auto is_plain = [](unsigned char byte) { return byte < 0x80 && (std::isalnum(byte) || byte == '_'); };
  const bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                     std::all_of(name.begin(), name.end(), is_plain) && !is_keyword(name);
  return plain ? std::string(name) : quoted_identifier(name);
}

std::string quoted_text(std::string_view text) { return quoted(text, '\''); }

std::string sql_literal(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "NULL";
    case ValueKind::kInteger:
      return fmt::format("{}", value.integer());
    case ValueKind::kReal:
      return real_literal(value.real());
    case ValueKind::kText:
      return text_literal(value.bytes());
    case ValueKind::kBlob:
      return fmt::format("X'{}'", to_hex(value.bytes()));
  }
  return "NULL";
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    out += kDigits[static_cast<unsigned char>(byte) >> 4];
    out += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

}  // namespace skua::cli
