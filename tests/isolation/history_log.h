// HistoryLog: the history of one client process, in a file that it appends to as it goes, so that a process
// which is killed leaves all it had been told. HistoryLogReader puts the files of all together. One thread
// each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/isolation/history.h"

namespace skua::test {

class HistoryLog {
 public:
  explicit HistoryLog(const std::string& file);
  HistoryLog(const HistoryLog&) = delete;
  HistoryLog& operator=(const HistoryLog&) = delete;
  ~HistoryLog();

  // Before the first request of it is sent. Without anything more it counts as failed.
  void begin(const ListTransaction& transaction);
  // Before what may commit it is sent: from here on it is in doubt.
  void may_commit(const ListTransaction& transaction);
  // With what its reads saw, and the time.
  void end(const ListTransaction& transaction);
  // Something that should not have happened.
  void surprise(std::string_view text);

 private:
  void flush();

  int fd_ = -1;
  std::string line_;
};

class HistoryLogReader {
 public:
  // Adds what a client wrote, to its last whole line.
  void add(const std::string& file);

  std::vector<ListTransaction> take_transactions() { return std::move(transactions_); }
  const std::vector<std::string>& surprises() const { return surprises_; }

 private:
  void add_line(std::string_view line);
  ListTransaction& last(std::int64_t id);

  std::vector<ListTransaction> transactions_;
  std::vector<std::string> surprises_;
};

// "1,2,3"; empty for none.
Elements parse_elements(std::string_view text);

}  // namespace skua::test
