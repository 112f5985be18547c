#include "client/engine/control_sql.h"

#include <fmt/format.h>

#include "protocol/sql_lexer.h"

namespace skua {

namespace {

// The word that the statement begins with, if it is one of those; nothing otherwise.
std::string_view control_word(std::string_view sql) {
  SqlLexer lexer(sql);
  SqlToken first = lexer.next();
  while (first.kind == SqlToken::Kind::kSemicolon) first = lexer.next();
  for (const std::string_view word : {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"}) {
    if (first.is_word(word)) return word;
  }
  return {};
}

}  // namespace

Status check_shared_sql(std::string_view sql) {
  const std::string_view word = control_word(sql);
  if (word.empty()) return {};
  return make_error(ErrorCode::kUsage,
                    fmt::format("{} as SQL would concern all tasks on the connection: use begin() or in_transaction(), and "
                                "the transaction's own functions",
                                word));
}

Status check_transaction_sql(std::string_view sql) {
  const std::string_view word = control_word(sql);
  if (word.empty()) return {};
  return make_error(ErrorCode::kUsage, fmt::format("{} as SQL would end or change the transaction behind its object's back: use "
                                                   "commit(), rollback(), savepoint(), release() or rollback_to()",
                                                   word));
}

}  // namespace skua
