// What the engine does not take as SQL text: BEGIN, COMMIT, END, ROLLBACK, SAVEPOINT and RELEASE. Any thread.
#pragma once

#include <string_view>

#include "protocol/result.h"

namespace skua {

// Outside of transactions: tasks share connections, so it would concern all of them. kUsage.
Status check_shared_sql(std::string_view sql);
// Within one: its object would not hear of it. kUsage.
Status check_transaction_sql(std::string_view sql);

}  // namespace skua
