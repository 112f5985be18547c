// What clients send in the bodies of requests, checked: kUsage says what is wrong with it, for people. Pure functions. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "examples/market/market.h"
#include "skua/engine.h"

namespace market {

inline constexpr std::size_t kOrdersMax = 1'000;
inline constexpr std::size_t kLinesMax = 100;

struct NewOrder {
  std::int64_t customer = 0;
  std::vector<OrderLine> lines;
};

// {"orders": [1, 2, 3]}
skua::Result<std::vector<std::int64_t>> parse_orders(std::string_view body);
// {"customer": 1, "items": [{"item": 1, "quantity": 2}, {"item": 3}]}
skua::Result<NewOrder> parse_new_order(std::string_view body);

}  // namespace market
