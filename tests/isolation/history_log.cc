#include "tests/isolation/history_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <iterator>

#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

namespace skua::test {

namespace {

// A line is a letter and words:
//   b ID NS WORD...   begun; a word is rKEY or aKEY:VALUE
//   c ID              may be committed from here on
//   r ID N ELEMENTS   operation N was a read and saw this
//   e ID NS ENDING    ended, as the digit says
//   ! TEXT            a surprise
std::string_view take_word(std::string_view& line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  require(error == std::errc() && end == text.data() + text.size(), "not a number: " + std::string(text));
  return number;
}

}  // namespace

Elements parse_elements(std::string_view text) {
  Elements elements;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    elements.push_back(number_of(text.substr(0, comma)));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return elements;
}

HistoryLog::HistoryLog(const std::string& file)
    : fd_(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  require(fd_ >= 0, "cannot open " + file);
}

HistoryLog::~HistoryLog() { ::close(fd_); }

void HistoryLog::flush() {
  require(::write(fd_, line_.data(), line_.size()) == static_cast<ssize_t>(line_.size()),
          "cannot write the history");
  line_.clear();
}

void HistoryLog::begin(const ListTransaction& transaction) {
  auto out = std::back_inserter(line_);
  fmt::format_to(out, "b {} {}", transaction.id, transaction.begun_ns);
  for (const ListOperation& operation : transaction.operations) {
    if (operation.kind == ListOperation::Kind::kRead) {
      fmt::format_to(out, " r{}", operation.key);
    } else {
      fmt::format_to(out, " a{}:{}", operation.key, operation.value);
    }
  }
  line_ += '\n';
  flush();
}

void HistoryLog::may_commit(const ListTransaction& transaction) {
  fmt::format_to(std::back_inserter(line_), "c {}\n", transaction.id);
  flush();
}

void HistoryLog::end(const ListTransaction& transaction) {
  auto out = std::back_inserter(line_);
  for (std::size_t i = 0; i < transaction.operations.size(); ++i) {
    const ListOperation& operation = transaction.operations[i];
    if (!operation.is_answered) continue;
    fmt::format_to(out, "r {} {} {}\n", transaction.id, i, fmt::join(operation.elements, ","));
  }
  fmt::format_to(out, "e {} {} {}\n", transaction.id, transaction.ended_ns,
                 static_cast<int>(transaction.ending));
  flush();
}

void HistoryLog::surprise(std::string_view text) {
  fmt::format_to(std::back_inserter(line_), "! {}\n", text);
  flush();
}

void HistoryLogReader::add(const std::string& file) {
  const std::string content = read_file(file);
  std::string_view rest = content;
  while (true) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return;
    add_line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
}

ListTransaction& HistoryLogReader::last(std::int64_t id) {
  // A client has one transaction at a time.
  require(!transactions_.empty() && transactions_.back().id == id, "a history log is out of order");
  return transactions_.back();
}

void HistoryLogReader::add_line(std::string_view line) {
  const std::string_view letter = take_word(line);
  if (letter == "!") {
    surprises_.emplace_back(line);
    return;
  }
  const std::int64_t id = number_of(take_word(line));
  if (letter == "b") {
    ListTransaction& transaction = transactions_.emplace_back();
    transaction.id = id;
    transaction.begun_ns = number_of(take_word(line));
    transaction.ending = Ending::kFailed;
    while (!line.empty()) {
      const std::string_view word = take_word(line);
      ListOperation& operation = transaction.operations.emplace_back();
      const std::size_t colon = word.find(':');
      operation.key = number_of(word.substr(1, colon == std::string_view::npos ? colon : colon - 1));
      if (colon == std::string_view::npos) continue;
      operation.kind = ListOperation::Kind::kAppend;
      operation.value = number_of(word.substr(colon + 1));
    }
  } else if (letter == "c") {
    last(id).ending = Ending::kInDoubt;
  } else if (letter == "r") {
    ListOperation& operation = last(id).operations.at(static_cast<std::size_t>(number_of(take_word(line))));
    operation.is_answered = true;
    operation.elements = parse_elements(line);
  } else {
    require(letter == "e", "not a line of a history log: " + std::string(letter));
    last(id).ended_ns = number_of(take_word(line));
    last(id).ending = static_cast<Ending>(number_of(line));
  }
}

}  // namespace skua::test
