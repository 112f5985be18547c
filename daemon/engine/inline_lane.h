// InlineLane: short reads of one database on the loop thread, on a connection of their own.
//
// All reads of one turn of the loop share a snapshot. It is kept for the next turns as long as nothing can have been
// committed since (WriteWatch): what a client may know of a commit, it learns from an answer that leaves at the end of a
// turn, so it is enough to look then. While a write is under way each turn takes a snapshot of its own; so no snapshot
// is in the way of a checkpoint for longer than a turn.
//
// What a read may take is bounded in instructions, bytes and rows, and what it takes together with the others of its turn
// in instructions. What is more is stopped, and nothing of it is left. Loop thread.
#pragma once

#include <memory>

#include "daemon/base/thread_annotations.h"
#include "daemon/core/executor.h"
#include "daemon/engine/database.h"

namespace skua {

class InlineLane {
 public:
  static Result<std::unique_ptr<InlineLane>> open(Database& database);

  InlineRead run(Job& job) SKUA_REQUIRES(loop_thread);
  // The answers of this turn are on their way.
  void on_turn_end() SKUA_REQUIRES(loop_thread);
  void let_go() SKUA_REQUIRES(loop_thread);

  bool holds_snapshot() const { return connection_->in_transaction(); }

 private:
  InlineLane(Database& database, std::unique_ptr<Connection> connection)
      : database_(database), connection_(std::move(connection)) {}

  bool take_snapshot() SKUA_REQUIRES(loop_thread);

  Database& database_;
  const std::unique_ptr<Connection> connection_;
  // From before the snapshot was taken.
  WriteWatch::Mark mark_ SKUA_GUARDED_BY(loop_thread);
  std::uint32_t ticks_in_turn_ SKUA_GUARDED_BY(loop_thread) = 0;
};

}  // namespace skua
