// Lane: runs jobs on one connection as the daemon's lanes do, one after the other in the test's own thread, and reads
// the frames that come of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/completion_queue.h"
#include "daemon/core/executor.h"
#include "daemon/engine/connection.h"
#include "protocol/column_info.h"
#include "protocol/limits.h"
#include "protocol/summary.h"
#include "tests/engine/requests.h"
#include "tests/engine/scratch_database.h"

namespace skua::test {

class Lane {
 public:
  explicit Lane(Connection& connection) : connection_(connection) {}

  std::uint64_t held_bytes_max = Limits().held_result_bytes_max;
  bool rollback_on_error = false;
  bool relaxed = false;
  std::uint64_t slice_us_max = 0;
  // Where the batches of a stream that goes on are to go.
  CompletionQueue* completions = nullptr;

  Job run(JobKind kind, std::shared_ptr<Request> request);
  Job run(std::shared_ptr<Request> request) { return run(JobKind::kRequest, std::move(request)); }
  Job execute(std::string_view sql, const std::vector<Value>& parameters = {},
              const std::vector<std::string>& names = {}) {
    return run(execute_request(sql, parameters, names));
  }

  // The next slice of an executeMany whose rows are independent; the first one if `slices` is null.
  Job run_slice(std::shared_ptr<Request> request);
  std::unique_ptr<BulkSlices> slices;

  // Jobs after begin() are inside of the transaction, until commit() succeeds or rollback().
  Job begin(bool read_only = false);
  Job commit();
  Job rollback();
  Job savepoint(SavepointAction action, std::string_view name);

 private:
  Job run(Job job);
  Job make_job(JobKind kind) const;

  Connection& connection_;
  std::shared_ptr<Transaction> transaction_;
  bool read_only_ = false;
};

// What the frames of one request say. Fails if the job did.
struct Answer {
  std::vector<ColumnInfo> columns;
  std::vector<Row> rows;
  std::optional<Summary> done;
};
Answer answer_of(const Job& job);
// Adds the job's frames to what came before.
void add_answer(const Job& job, Answer& answer);
// Only its rows, as text.
std::string text_of(const Job& job);

// One step of a program's reply.
struct StepAnswer {
  bool skipped = false;
  std::optional<Error> error;
  Answer answer;
};
std::vector<StepAnswer> program_answer_of(const Job& job);
// One line a step: "skipped", "error", or its rows, joined by `;`.
std::string program_text_of(const Job& job);

// The error of a job that must have failed, after a look at the rest of it: it must not also answer.
const Error& error_of(const Job& job);

}  // namespace skua::test
