// All of the C++ client: #include <skua/client.h> and link with libskua_client.
#pragma once

#include "skua/bulk_writer.h"
#include "skua/connection.h"
#include "skua/statement_splitter.h"
