// Binds the parameters of a received request to a statement, in place: the values stay in the message, which must live
// as long as they are bound. Call inside guarded(). Belongs to the connection's thread.
#pragma once

#include "daemon/engine/statement.h"
#include "protocol/parameter_list.h"
#include "protocol/row_batch.h"
#include "protocol/skua.capnp.h"

namespace skua {

// kParameter if a parameter is missing, left over, unknown or given twice.
Status bind_parameters(Statement& statement, const ParameterList& parameters);

// Which parameter of the statement each column of a batch of parameter rows is.
Result<std::vector<int>> match_columns(const Statement& statement, capnp::List<capnp::Text>::Reader names,
                                       std::size_t column_count);

}  // namespace skua
