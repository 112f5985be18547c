// StatementSplitter cuts a script into statements, as the sqlite3 shell does: at semicolons outside of strings,
// comments, and the bodies of triggers. The daemon takes exactly one statement at a time.
//
// Takes text in pieces of any size and looks at each byte once, so that a script of any size runs in the memory
// of its largest statement. One thread. What ends a statement is the state machine of
// sqlite.org/c3ref/complete.html.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace skua {

class StatementSplitter {
 public:
  // One of the script.
  struct Statement {
    std::string sql;         // without white space and comments around it, and without the semicolon
    std::size_t offset = 0;  // of its first byte in the whole script
    std::size_t line = 1;    // of its first byte
  };

  StatementSplitter();
  StatementSplitter(StatementSplitter&&) noexcept;
  StatementSplitter& operator=(StatementSplitter&&) noexcept;
  ~StatementSplitter();

  // The next piece of the script. Copied.
  void add(std::string_view text);
  // The next complete statement. Empty statements (`;;`, comments only) are left out.
  std::optional<Statement> next();
  // After the end of the script, when next() has nothing more: the last statement, which needs no semicolon.
  // Nothing if only space and comments are left. Then the splitter can be used again.
  std::optional<Statement> rest();
  // True when the text so far ends inside a statement, a string or a comment: a shell shows its second prompt.
  bool in_statement() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace skua
