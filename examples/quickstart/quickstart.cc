// Quickstart: query, write in a transaction, and see what an error says. On the sample shop of `./dev run`.
#include <skua/engine.h>

#include <cstdint>
#include <cstdio>
#include <string>

struct Item {
  std::int64_t id;
  std::string name;
  double price;
};
SKUA_FIELDS(Item, id, name, price)

// An order of one item. If anything of it fails, nothing of it is left.
skua::Task<skua::Result<std::int64_t>> order(skua::Engine& engine, std::int64_t item, int quantity) {
  const auto insert = [=](skua::AsyncTransaction& transaction) -> skua::Task<skua::Result<std::int64_t>> {
    SKUA_CO_ASSIGN(const auto id,
                   co_await transaction.scalar<std::int64_t>("INSERT INTO orders (customer_id) VALUES (?) RETURNING id",
                                                             skua::Parameters::of(1)));
    SKUA_CO_TRY(co_await transaction.execute(
        "INSERT INTO order_items (order_id, item_id, quantity) VALUES (:order, :item, :quantity)",
        skua::Parameters().set("order", id).set("item", item).set("quantity", quantity)));
    co_return id;
  };
  co_return co_await engine.in_transaction(insert);
}

skua::Task<skua::Status> run(skua::Engine& engine) {
  SKUA_CO_TRY(co_await engine.connect());

  // All rows, with parameters.
  SKUA_CO_ASSIGN(const skua::ResultSet items,
                 co_await engine.execute("SELECT name, price FROM item WHERE price < ? ORDER BY name",
                                         skua::Parameters::of(6)));
  for (const skua::Row row : items) {
    SKUA_CO_ASSIGN(const auto name, row.get<std::string>("name"));
    SKUA_CO_ASSIGN(const auto price, row.get<double>("price"));
    std::printf("%-8s %5.2f\n", name.c_str(), price);
  }

  // One value; one row as a struct.
  SKUA_CO_ASSIGN(const auto count, co_await engine.scalar<int>("SELECT count(*) FROM item"));
  SKUA_CO_ASSIGN(const Item milk,
                 co_await engine.one<Item>("SELECT * FROM item WHERE name = ?", skua::Parameters::of("Milk")));
  std::printf("%d items, %s is number %d\n", count, milk.name.c_str(), static_cast<int>(milk.id));

  // Two writes that take effect together, and two that fail together.
  SKUA_CO_ASSIGN(const auto id, co_await order(engine, milk.id, 2));
  std::printf("order %d\n", static_cast<int>(id));
  const auto refused = co_await order(engine, milk.id, 0);
  std::printf("%s: %s\n", to_string(refused.error().code).data(), refused.error().message.c_str());
  SKUA_CO_ASSIGN(const auto orders, co_await engine.scalar<int>("SELECT count(*) FROM orders"));
  std::printf("%d orders\n", orders);
  co_return {};
}

int main() {
  skua::Engine engine;  // $SKUA_SOCKET, and a loop of its own
  const skua::Status done = engine.run_task(run(engine));
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
