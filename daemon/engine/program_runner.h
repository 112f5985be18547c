// ProgramRunner: runs the steps of one program on a connection and builds its reply.
//
// Atomic programs are one transaction, or one savepoint inside the transaction they belong to; independent steps commit
// one by one. Results are held until the end, because nothing may be told before it is certain. Belongs to the
// connection's thread.
#pragma once

#include "daemon/core/executor.h"
#include "daemon/engine/connection.h"

namespace skua {

class ProgramRunner {
 public:
  ProgramRunner(Connection& connection, Job& job, std::uint64_t held_bytes_max)
      : connection_(connection), job_(job), held_bytes_max_(held_bytes_max) {}

  // The reply. Sets job.needs_writer instead if a step writes and the connection only reads.
  Result<Frame> run();

 private:
  struct StepState {
    bool skipped = false;
    std::unique_ptr<Error> error;
    std::vector<ColumnInfo> columns;
    RowBatchBuilder rows;
    Summary summary;
  };

  Status run_steps(wire::Program::Reader program);
  // The outcome of one step goes into its state; an error that ends the program is returned.
  Status run_step(wire::Step::Reader step, std::size_t index, bool atomic);
  // A step of an independent program is a transaction of its own.
  Status execute_and_commit(wire::Step::Reader step, StepState& state);
  Status execute(wire::Step::Reader step, StepState& state);
  bool requirements_hold(wire::Step::Reader step) const;
  bool holds(const StepState& state, wire::Outcome outcome) const;
  Frame build_reply() const;

  Connection& connection_;
  Job& job_;
  const std::uint64_t held_bytes_max_;
  std::uint64_t held_bytes_ = 0;
  std::vector<StepState> steps_;
};

}  // namespace skua
