// What the option structures of C mean in C++. Their struct_size tells which members the caller knows; a member that only a
// newer library knows must be zero, or it would be passed over in silence. Any thread.
#pragma once

#include "protocol/result.h"
#include "skua.h"
#include "skua/options.h"

namespace skua::c {

// kUsage if a member has no meaning. Null: the defaults.
Result<ConnectOptions> connect_options(const skua_connect_options* options);
Result<RequestOptions> request_options(const skua_request_options* options);
Result<TransactionMode> transaction_mode(skua_transaction_mode mode);

}  // namespace skua::c
