#include "tests/engine/lane.h"

#include "daemon/core/transaction.h"
#include "daemon/engine/job_runner.h"
#include "protocol/codec.h"
#include "protocol/row_batch.h"
#include "tests/support/failure.h"

namespace skua::test {

namespace {

void add_rows(wire::Rows::Reader rows, Answer& answer) {
  if (rows.hasColumns()) answer.columns = read_columns(rows.getColumns());
  const RowBatchReader batch = must(RowBatchReader::open(rows.getBatch()), "reading a batch");
  for (std::size_t i = 0; i < batch.row_count(); ++i) {
    Row row;
    for (std::size_t column = 0; column < batch.column_count(); ++column) {
      row.push_back(batch.at(i, column).to_value());
    }
    answer.rows.push_back(std::move(row));
  }
  if (rows.hasDone()) answer.done = read_summary(rows.getDone());
}

void require_success(const Job& job) {
  require(job.error == nullptr, "the job failed: " + (job.error != nullptr ? job.error->message : std::string()));
}

}  // namespace

Job Lane::make_job(JobKind kind) const {
  Job job;
  job.kind = kind;
  job.slot = connection_.role() == ConnectionRole::kWriter ? kWriterSlot : 0;
  job.transaction = transaction_;
  job.read_only = read_only_;
  job.rollback_on_error = rollback_on_error;
  job.relaxed = relaxed;
  return job;
}

Job Lane::run(Job job) {
  JobRunner(connection_, job, held_bytes_max, completions).run();
  return job;
}

Job Lane::run(JobKind kind, std::shared_ptr<Request> request) {
  Job job = make_job(kind);
  job.request = std::move(request);
  return run(std::move(job));
}

Job Lane::run_slice(std::shared_ptr<Request> request) {
  Job job = make_job(JobKind::kRequest);
  job.request = std::move(request);
  job.slices = slices != nullptr ? std::move(slices) : std::make_unique<BulkSlices>();
  job.slices->slice_us_max = slice_us_max;
  job = run(std::move(job));
  slices = std::move(job.slices);
  return job;
}

Job Lane::begin(bool read_only) {
  transaction_ = std::make_shared<Transaction>();
  read_only_ = read_only;
  return run(make_job(JobKind::kBegin));
}

Job Lane::commit() {
  Job job = run(make_job(JobKind::kCommit));
  if (!job.transaction_open) transaction_ = nullptr;
  return job;
}

Job Lane::rollback() {
  Job job = run(make_job(JobKind::kRollback));
  transaction_ = nullptr;
  return job;
}

Job Lane::savepoint(SavepointAction action, std::string_view name) {
  Job job = make_job(JobKind::kSavepoint);
  job.savepoint_action = action;
  job.savepoint = name;
  return run(std::move(job));
}

void add_answer(const Job& job, Answer& answer) {
  require_success(job);
  for (const Frame& frame : job.frames) {
    MessageView view(frame.view());
    const auto response = view.root<wire::Response>();
    require(!answer.done, "a frame came after the last");
    require(job.request == nullptr || response.getId() == job.request->id, "a frame answers another request");
    if (response.isDone()) {
      answer.done = read_summary(response.getDone());
    } else {
      require(response.isRows(), "a frame that is neither rows nor done");
      add_rows(response.getRows(), answer);
    }
  }
  require(job.ended == answer.done.has_value(), "the last frame and job.ended disagree");
}

Answer answer_of(const Job& job) {
  Answer answer;
  add_answer(job, answer);
  return answer;
}

std::string text_of(const Job& job) { return to_text(answer_of(job).rows); }

std::vector<StepAnswer> program_answer_of(const Job& job) {
  require_success(job);
  require(job.frames.size() == 1 && job.ended, "a program has one answer");
  MessageView view(job.frames.front().view());
  std::vector<StepAnswer> steps;
  for (const wire::StepReply::Reader reply : view.root<wire::Response>().getProgram().getSteps()) {
    StepAnswer& step = steps.emplace_back();
    step.skipped = reply.isSkipped();
    if (reply.isError()) step.error = read_error(reply.getError());
    if (reply.isRows()) add_rows(reply.getRows(), step.answer);
  }
  return steps;
}

std::string program_text_of(const Job& job) {
  std::string text;
  for (const StepAnswer& step : program_answer_of(job)) {
    if (!text.empty()) text += ';';
    text += step.skipped ? "skipped" : step.error ? "error" : "(" + to_text(step.answer.rows) + ")";
  }
  return text;
}

const Error& error_of(const Job& job) {
  require(job.error != nullptr, "the job was not refused");
  require(job.frames.empty() && !job.ended && !job.cursor_open && !job.needs_writer,
          "a failed job answers as well: " + job.error->message);
  return *job.error;
}

}  // namespace skua::test
