#include "daemon/core/transaction_operation.h"

namespace skua {

namespace {

using Operation = TransactionOperation;
using Class = StatementKind::Class;

}  // namespace

TransactionOperation operation_of(const Request& request) {
  switch (request.kind) {
    case wire::Request::BEGIN: return Operation::kBegin;
    case wire::Request::COMMIT: return Operation::kCommit;
    case wire::Request::ROLLBACK: return Operation::kRollback;
    case wire::Request::SAVEPOINT: return Operation::kSavepoint;
    default: break;
  }
  switch (request.statement.statement_class) {
    case Class::kRead:
    case Class::kWrite: return Operation::kStatement;
    case Class::kBegin: return Operation::kBegin;
    case Class::kCommit: return Operation::kCommit;
    case Class::kRollback: return Operation::kRollback;
    case Class::kSavepoint:
    case Class::kRelease:
    case Class::kRollbackTo: return Operation::kSavepoint;
  }
  return Operation::kStatement;
}

SavepointAction savepoint_action_of(const Request& request) {
  if (request.kind == wire::Request::SAVEPOINT) {
    return static_cast<SavepointAction>(request.message->root().getSavepoint().getAction());
  }
  if (request.statement.statement_class == Class::kRelease) return SavepointAction::kRelease;
  if (request.statement.statement_class == Class::kRollbackTo) return SavepointAction::kRollbackTo;
  return SavepointAction::kSet;
}

}  // namespace skua
