#include "daemon/engine/program_runner.h"

#include <fmt/format.h>

#include "daemon/engine/parameter_binding.h"
#include "protocol/codec.h"

namespace skua {

Result<Frame> ProgramRunner::run() {
  const wire::Program::Reader program = job_.request->message->root().getProgram();
  const bool atomic = !program.getIndependent();
  const bool inside = connection_.in_transaction();
  if (atomic) {
    if (inside) {
      SKUA_TRY(connection_.run_internal("SAVEPOINT skua_program"));
    } else {
      SKUA_TRY(connection_.begin(connection_.role() == ConnectionRole::kReader, job_.relaxed));
    }
  }
  // A malformed message shows while it is read, when steps before it are done.
  Status status = guarded([&] { return run_steps(program); });
  if (job_.needs_writer || !status) {
    if (!atomic || !connection_.in_transaction()) {
      // Nothing to undo, or SQLite has undone it.
    } else if (inside) {
      SKUA_TRY(connection_.run_internal("ROLLBACK TO skua_program"));
      SKUA_TRY(connection_.run_internal("RELEASE skua_program"));
    } else {
      connection_.rollback();
    }
    if (!status) return std::move(status).error();
    return Frame();
  }
  if (atomic) {
    status = connection_.run_internal(inside ? "RELEASE skua_program" : "COMMIT");
    if (!status) {
      if (!inside) connection_.rollback();
      return std::move(status).error();
    }
  }
  return build_reply();
}

Status ProgramRunner::run_steps(wire::Program::Reader program) {
  const auto steps = program.getSteps();
  steps_.resize(steps.size());
  for (kj::uint i = 0; i < steps.size() && !job_.needs_writer; ++i) {
    SKUA_TRY(run_step(steps[i], i, !program.getIndependent()));
  }
  return {};
}

Status ProgramRunner::run_step(wire::Step::Reader step, std::size_t index, bool atomic) {
  StepState& state = steps_[index];
  state.skipped = !requirements_hold(step);
  if (state.skipped) return {};
  const bool was_open = connection_.in_transaction();
  const bool may_fail = step.getMayFail() || !atomic;
  // OR FAIL keeps what a failing statement had done; a step that fails does nothing.
  const bool guard = atomic && step.getMayFail();
  if (guard) SKUA_TRY(connection_.run_internal("SAVEPOINT skua_step"));
  Status status = was_open || connection_.role() == ConnectionRole::kReader ? execute(step, state)
                                                                            : execute_and_commit(step, state);
  if (guard && connection_.in_transaction()) {
    if (!status) SKUA_TRY(connection_.run_internal("ROLLBACK TO skua_step"));
    SKUA_TRY(connection_.run_internal("RELEASE skua_step"));
  }
  if (status) return {};
  Error error = connection_.explain(std::move(status).error());
  error.row = static_cast<std::int64_t>(index);
  const bool stopped = job_.request->token.is_cancelled();
  const bool undone = was_open && !connection_.in_transaction();
  if (!may_fail || undone || stopped || error.code == ErrorCode::kLimit) {
    error.message = fmt::format("step {}: {}", index, error.message);
    return error;
  }
  state.rows.clear();
  state.error = std::make_unique<Error>(std::move(error));
  return {};
}

Status ProgramRunner::execute_and_commit(wire::Step::Reader step, StepState& state) {
  // By itself a statement that returns rows would be committed by being stopped half way.
  SKUA_TRY(connection_.begin(false, job_.relaxed));
  Status status = execute(step, state);
  if (status) status = connection_.run_internal("COMMIT");
  if (!status) connection_.rollback();
  return status;
}

Status ProgramRunner::execute(wire::Step::Reader step, StepState& state) {
  SKUA_ASSIGN(const StatementCache::Lease statement, connection_.lease(view_of(step.getSql())));
  if (connection_.role() == ConnectionRole::kReader && !statement->is_read_only()) {
    if (job_.is_inside_transaction()) return make_error(ErrorCode::kReadOnly, "the transaction is read-only");
    job_.needs_writer = true;
    return {};
  }
  SKUA_TRY(bind_parameters(*statement, ParameterList(step.getParameters())));
  const std::int64_t total_changes_before = sqlite3_total_changes64(connection_.handle());
  int column_count = -1;
  while (true) {
    SKUA_ASSIGN(const bool has_row, statement->step());
    if (column_count < 0) {
      column_count = statement->column_count();
      state.columns = statement->columns();
      state.rows.reset(static_cast<std::size_t>(column_count));
    }
    if (!has_row) break;
    const std::size_t before = state.rows.byte_count();
    SKUA_TRY(append_row(*statement, column_count, state.rows));
    held_bytes_ += state.rows.byte_count() - before + 1;
    if (held_bytes_ > held_bytes_max_) {
      return make_error(ErrorCode::kLimit, fmt::format("the program's results are larger than {} bytes "
                                                       "(held_result_bytes_max): select less in it",
                                                       held_bytes_max_));
    }
  }
  state.summary = summary_of(*statement, total_changes_before,
                             job_.is_inside_transaction() ? TransactionState::kOpen : TransactionState::kNone);
  state.summary.row_count = state.rows.row_count();
  return {};
}

bool ProgramRunner::requirements_hold(wire::Step::Reader step) const {
  for (const wire::Requirement::Reader requirement : step.getRequirements()) {
    if (!holds(steps_[requirement.getStep()], requirement.getOutcome())) return false;
  }
  return true;
}

bool ProgramRunner::holds(const StepState& state, wire::Outcome outcome) const {
  const bool succeeded = !state.skipped && state.error == nullptr;
  switch (outcome) {
    case wire::Outcome::SUCCEEDED: return succeeded;
    case wire::Outcome::FAILED: return state.error != nullptr;
    case wire::Outcome::SKIPPED: return state.skipped;
    case wire::Outcome::CHANGED_ROWS: return succeeded && state.summary.changes > 0;
    case wire::Outcome::RETURNED_ROWS: return succeeded && state.summary.row_count > 0;
    case wire::Outcome::CHANGED_NONE: return succeeded && state.summary.changes == 0;
    case wire::Outcome::RETURNED_NONE: return succeeded && state.summary.row_count == 0;
  }
  return false;
}

Frame ProgramRunner::build_reply() const {
  std::size_t words = 64;
  for (const StepState& step : steps_) words += step.rows.words_max() + 32 + 8 * step.columns.size();
  FrameBuilder frame(words);
  auto response = frame.initRoot<wire::Response>();
  response.setId(job_.request->id);
  auto reply = response.initProgram();
  reply.setTransaction(job_.is_inside_transaction() ? wire::TransactionState::OPEN : wire::TransactionState::NONE);
  auto out = reply.initSteps(static_cast<kj::uint>(steps_.size()));
  for (kj::uint i = 0; i < out.size(); ++i) {
    const StepState& step = steps_[i];
    if (step.skipped) {
      out[i].setSkipped();
    } else if (step.error != nullptr) {
      write_error(*step.error, out[i].initError());
    } else {
      auto rows = out[i].initRows();
      write_columns(step.columns, rows.initColumns(static_cast<kj::uint>(step.columns.size())));
      step.rows.write(rows.initBatch());
      write_summary(step.summary, rows.initDone());
    }
  }
  return frame.finish();
}

}  // namespace skua
