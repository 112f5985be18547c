// Routes: which path is which query of the market, how its answer looks in JSON, and which status an error has.
//
// Belongs to the loop's thread. Must outlive the server whose requests it answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "examples/market/http_exchange.h"
#include "examples/market/json_text.h"
#include "examples/market/market.h"
#include "skua/engine.h"

namespace market {

class Routes {
 public:
  explicit Routes(Market& market) : market_(market) {}

  skua::Task<skua::Status> answer(HttpExchange& exchange);

 private:
  // The parts of the path behind the name.
  using Arguments = std::span<const std::string_view>;
  using Answer = skua::Task<skua::Status>;
  struct Route;
  static const Route kRoutes[];

  Answer page(HttpExchange& exchange, Arguments arguments);
  Answer customers(HttpExchange& exchange, Arguments arguments);
  Answer orders(HttpExchange& exchange, Arguments arguments);
  Answer orders_between_dates(HttpExchange& exchange, Arguments arguments);
  Answer order_total(HttpExchange& exchange, Arguments arguments);
  Answer orders_total(HttpExchange& exchange, Arguments arguments);
  Answer add_new_order(HttpExchange& exchange, Arguments arguments);

  using WriteRow = void (*)(JsonText& json, const skua::Batch& rows, std::size_t row);
  // An array of objects: whole if the rows are few, else batch by batch.
  Answer answer_rows(HttpExchange& exchange, skua::Task<skua::Result<skua::AsyncRowStream>> query, WriteRow write_row);
  // {"error": why}
  skua::Status refuse(HttpExchange& exchange, unsigned status, std::string_view why);

  Market& market_;
  // Of answers that are written without a wait.
  JsonText json_;
};

}  // namespace market
