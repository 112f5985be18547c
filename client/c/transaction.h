// skua_transaction: a Transaction. Belongs to its connection's thread.
#pragma once

#include <utility>

#include "skua.h"
#include "skua/transaction.h"

struct skua_transaction {
  explicit skua_transaction(skua::Transaction begun) : transaction(std::move(begun)) {}

  skua::Transaction transaction;
};
