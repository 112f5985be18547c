#include "tests/slt/script.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iterator>

namespace skua::slt {

namespace {

constexpr std::string_view kDatabase = "sqlite";

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

// Lines without their ends; the corpus has both "\n" and "\r\n".
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  std::optional<std::string_view> next() {
    if (at_ >= text_.size()) return std::nullopt;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++number_;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
      line.remove_suffix(1);
    return line;
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t number_ = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : lines_(text) {}

  Result<Script> run() {
    bool applies = true;
    while (const auto line = lines_.next()) {
      if (line->empty() || line->front() == '#') continue;
      const std::vector<std::string_view> words = words_of(*line);
      const bool condition = words[0] == "onlyif" || words[0] == "skipif";
      if (condition) {
        if (words.size() < 2) return broken("a condition without a database");
        applies = applies && (words[1] == kDatabase) == (words[0] == "onlyif");
        continue;
      }
      if (words[0] == "halt" && applies) return std::move(script_);
      if (words[0] == "statement" || words[0] == "query") {
        SKUA_ASSIGN(Record record, words[0] == "query" ? query(words) : statement(words));
        if (applies) script_.records.push_back(std::move(record));
      } else if (words[0] != "halt" && words[0] != "hash-threshold") {
        return broken(fmt::format("unknown record '{}'", words[0]));
      }
      applies = true;
    }
    return std::move(script_);
  }

 private:
  Error broken(std::string what) const {
    return make_error(ErrorCode::kUsage, fmt::format("line {}: {}", lines_.number(), what));
  }

  // Up to an empty line, the end, or `----`. True if it was that.
  bool read_sql(std::string& sql) {
    while (const auto line = lines_.next()) {
      if (line->empty()) return false;
      if (*line == "----") return true;
      if (!sql.empty()) sql += '\n';
      sql += *line;
    }
    return false;
  }

  Result<Record> statement(const std::vector<std::string_view>& words) {
    if (words.size() < 2 || (words[1] != "ok" && words[1] != "error")) return broken("statement ok or error?");
    Record record;
    record.kind = words[1] == "ok" ? Record::Kind::kStatementOk : Record::Kind::kStatementError;
    record.line = lines_.number();
    if (read_sql(record.sql)) return broken("a statement with values");
    return record;
  }

  Result<Record> query(const std::vector<std::string_view>& words) {
    Record record;
    record.kind = Record::Kind::kQuery;
    record.line = lines_.number();
    if (words.size() < 2) return broken("a query without types");
    record.types = words[1];
    if (record.types.find_first_not_of("IRT") != std::string::npos) return broken("unknown type of column");
    if (words.size() > 2) {
      if (words[2] == "rowsort") {
        record.sort = SortMode::kRows;
      } else if (words[2] == "valuesort") {
        record.sort = SortMode::kValues;
      } else if (words[2] != "nosort") {
        return broken(fmt::format("unknown order '{}'", words[2]));
      }
    }
    if (words.size() > 3) record.label = words[3];
    if (read_sql(record.sql)) {
      while (const auto line = lines_.next()) {
        if (line->empty()) break;
        record.values.emplace_back(*line);
      }
    }
    take_hash(record);
    return record;
  }

  // Turns the only value `N values hashing to MD5` into a hash.
  static void take_hash(Record& record) {
    if (record.values.size() != 1) return;
    const std::vector<std::string_view> words = words_of(record.values[0]);
    if (words.size() != 5 || words[1] != "values" || words[2] != "hashing" || words[3] != "to") return;
    ValuesHash hash;
    const auto parsed = std::from_chars(words[0].data(), words[0].data() + words[0].size(), hash.count);
    if (parsed.ec != std::errc()) return;
    hash.md5 = words[4];
    record.hash = std::move(hash);
    record.values.clear();
  }

  Lines lines_;
  Script script_;
};

}  // namespace

Result<Script> parse_script(std::string_view text) { return Parser(text).run(); }

Result<Script> load_script(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return make_error(ErrorCode::kIo, fmt::format("cannot read {}", path.string()));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Result<Script> script = parse_script(text);
  if (!script) script.error().message = fmt::format("{}: {}", path.string(), script.error().message);
  return script;
}

}  // namespace skua::slt
