// Market: what the shop of samples/market.sql is asked, as queries of Skua's coroutine engine. Knows nothing of HTTP or JSON.
//
// Belongs to the thread of the engine's loop, and must not outlive the engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "skua/engine.h"

namespace market {

struct OrderLine {
  std::int64_t item = 0;
  std::int64_t quantity = 1;
};

class Market {
 public:
  explicit Market(skua::Engine& engine) : engine_(engine) {}

  // Rows of (id, name, flat_number, post_code), the last two null for who has no address.
  skua::Task<skua::Result<skua::AsyncRowStream>> customers();
  // Rows of (id, customer, order_time).
  skua::Task<skua::Result<skua::AsyncRowStream>> orders(std::int64_t customer);
  // The same, of the orders before one moment and not before another, both as SQLite writes them.
  skua::Task<skua::Result<skua::AsyncRowStream>> orders_between(std::string before, std::string after);
  // Null for an order that is not there or has no lines.
  skua::Task<skua::Result<skua::Value>> order_total(std::int64_t order);
  // At once, each with a query of its own, and all as of one moment.
  skua::Task<skua::Result<std::vector<skua::Value>>> orders_total(std::vector<std::int64_t> orders);
  // The number of the new order, which is there with all of its lines or not at all. kConstraint: see refusal().
  skua::Task<skua::Result<std::int64_t>> add_order(std::int64_t customer, std::vector<OrderLine> lines);

 private:
  skua::Engine& engine_;
};

}  // namespace market
