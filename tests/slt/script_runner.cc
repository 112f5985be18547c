#include "tests/slt/script_runner.h"

#include <fmt/format.h>

namespace skua::slt {

ScriptReport ScriptRunner::run(const Script& script) {
  std::size_t queries = 0;
  for (const Record& record : script.records) {
    if (queries_max_ != 0 && queries == queries_max_) break;
    if (record.kind == Record::Kind::kQuery) ++queries;
    ++report_.record_count;
    report_.last_line = record.line;
    if (target_.is_open()) {
      judge(record);
    } else {
      fail(record, "not run: the connection was lost");
    }
  }
  return std::move(report_);
}

void ScriptRunner::judge(const Record& record) {
  if (record.kind == Record::Kind::kQuery) {
    judge_query(record);
  } else {
    judge_statement(record);
  }
}

void ScriptRunner::judge_statement(const Record& record) {
  const Status status = target_.execute(record.sql);
  const bool should_succeed = record.kind == Record::Kind::kStatementOk;
  if (status && !should_succeed) return fail(record, "expected an error\n  got      success");
  if (!status && should_succeed) {
    return fail(record, fmt::format("expected success\n  got      {} error: {}", to_string(status.error().code),
                                    status.error().message));
  }
  // An error of the connection is not the error that the statement was expected to have.
  if (!status && !target_.is_open()) fail(record, "the connection was lost: " + status.error().message);
}

void ScriptRunner::judge_query(const Record& record) {
  Result<Answer> answer = target_.query(record.sql, record.types);
  if (!answer) {
    return fail(record, fmt::format("expected rows\n  got      {} error: {}", to_string(answer.error().code),
                                    answer.error().message));
  }
  if (answer->failed_in_step) ++report_.step_errors;
  sort_answer(record.sort, *answer);
  if (auto what = difference(record, *answer)) return fail(record, std::move(*what));
  if (record.label.empty()) return;
  const std::string md5 = md5_of(answer->values);
  const auto [entry, is_first] = md5_by_label_.emplace(record.label, md5);
  if (!is_first && entry->second != md5) {
    fail(record,
         fmt::format("expected the result of every query labelled {}\n  got      another", record.label));
  }
}

void ScriptRunner::fail(const Record& record, std::string what) {
  report_.failures.push_back({record.line, record.sql, std::move(what)});
}

}  // namespace skua::slt
