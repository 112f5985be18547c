#include "examples/market/market.h"

#include <optional>
#include <utility>

namespace market {

namespace {

constexpr const char* kCustomers =
    "SELECT customer.id, name, flat_number, post_code "
    "FROM customer LEFT JOIN address ON address.id = address_id ORDER BY customer.id";
constexpr const char* kOrders = "SELECT id, customer_id, order_time FROM orders WHERE customer_id = ? ORDER BY id";
constexpr const char* kOrdersBetween =
    "SELECT id, customer_id, order_time FROM orders WHERE order_time < ? AND order_time >= ? ORDER BY order_time, id";
constexpr const char* kOrderTotal =
    "SELECT sum(price * quantity) FROM order_items JOIN item ON item.id = item_id WHERE order_id = ?";
constexpr const char* kInsertOrder = "INSERT INTO orders (customer_id) VALUES (?) RETURNING id";
// Of the transaction's new order, which has the largest number, as no other can be added meanwhile.
constexpr const char* kInsertLine =
    "INSERT INTO order_items (order_id, item_id, quantity) VALUES ((SELECT max(id) FROM orders), ?, ?)";

// SQLite's extended codes: sqlite.org/rescode.html.
constexpr int kCheckFailed = 275;
constexpr int kForeignKeyFailed = 787;
constexpr int kPrimaryKeyFailed = 1555;

// Says what was refused to who knows the shop and not the tables.
skua::Error refusal(skua::Error error) {
  const bool is_line = error.row > 0;
  if (error.sqlite_code == kForeignKeyFailed) error.message = is_line ? "there is no such item" : "there is no such customer";
  if (error.sqlite_code == kPrimaryKeyFailed) error.message = "an item stands in an order once";
  if (error.sqlite_code == kCheckFailed) error.message = "a quantity is at least 1";
  return error;
}

}  // namespace

skua::Task<skua::Result<skua::AsyncRowStream>> Market::customers() { return engine_.stream(kCustomers); }

skua::Task<skua::Result<skua::AsyncRowStream>> Market::orders(std::int64_t customer) {
  return engine_.stream(kOrders, skua::Parameters::of(customer));
}

skua::Task<skua::Result<skua::AsyncRowStream>> Market::orders_between(std::string before, std::string after) {
  return engine_.stream(kOrdersBetween, skua::Parameters::of(std::move(before), std::move(after)));
}

skua::Task<skua::Result<skua::Value>> Market::order_total(std::int64_t order) {
  return engine_.scalar(kOrderTotal, skua::Parameters::of(order));
}

skua::Task<skua::Result<std::vector<skua::Value>>> Market::orders_total(std::vector<std::int64_t> orders) {
  // All queries of a read transaction see one state of the database.
  SKUA_CO_ASSIGN(skua::AsyncTransaction snapshot, co_await engine_.begin(skua::TransactionMode::kRead));
  skua::TaskGroup group;
  std::vector<skua::TaskGroup::Spawned<skua::Value>> queries;
  for (const std::int64_t order : orders) {
    queries.push_back(group.spawn(snapshot.scalar(kOrderTotal, skua::Parameters::of(order))));
  }
  SKUA_CO_TRY(co_await group.join());
  std::vector<skua::Value> totals;
  for (auto& query : queries) totals.push_back(std::move(query.value()));
  co_return totals;
}

skua::Task<skua::Result<std::int64_t>> Market::add_order(std::int64_t customer, std::vector<OrderLine> lines) {
  // One request, so that it shares a commit with those that others make at the same time.
  skua::Program program;
  const auto add = [&](const char* sql, skua::Parameters parameters) {
    skua::Program::Step& step = program.steps.emplace_back();
    step.sql = sql;
    step.parameters = std::move(parameters);
  };
  add(kInsertOrder, skua::Parameters::of(customer));
  for (const OrderLine& line : lines) add(kInsertLine, skua::Parameters::of(line.item, line.quantity));
  const skua::Result<skua::ProgramResult> done = co_await engine_.run(std::move(program));
  if (!done) co_return refusal(done.error());
  SKUA_CO_ASSIGN(const skua::Row order, done->steps.front().rows.one());
  co_return order.get<std::int64_t>(0);
}

}  // namespace market
