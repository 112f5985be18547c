// Task groups: queries that run at the same time, on one state of the database, until one fails or the time is over.
//
// On the sample shop of `./dev run`.
#include <skua/engine.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

// Runs until it is cancelled.
const char* const kForever =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

// Both are sent before either is answered. join() waits for all; after it the values are there.
skua::Task<skua::Status> count_both(skua::Engine& engine) {
  skua::TaskGroup group;
  auto customers = group.spawn(engine.scalar<int>("SELECT count(*) FROM customer"));
  auto items = group.spawn(engine.scalar<int>("SELECT count(*) FROM item"));
  SKUA_CO_TRY(co_await group.join());
  std::printf("%d customers, %d items\n", customers.value(), items.value());
  co_return {};
}

// One read transaction for each customer, all on one snapshot: the sums fit together, whatever is written meanwhile.
skua::Task<skua::Status> turnover(skua::Engine& engine) {
  const auto sum = [](skua::AsyncTransaction& transaction, std::int64_t customer) -> skua::Task<skua::Result<double>> {
    return transaction.scalar<double>(
        "SELECT total(price * quantity) FROM orders JOIN order_items ON order_id = orders.id JOIN item ON item_id = item.id "
        "WHERE customer_id = ?",
        skua::Parameters::of(customer));
  };
  // Made before the co_await: gcc 12 does not take a list in braces within one.
  std::vector<std::int64_t> customers{1, 2, 3};
  SKUA_CO_ASSIGN(const std::vector<double> sums, co_await engine.on_one_snapshot(std::move(customers), sum));
  for (const double value : sums) std::printf("%.2f\n", value);
  co_return {};
}

// The first task that fails ends the others: the endless query is cancelled in the daemon, too.
skua::Task<skua::Status> fail_together(skua::Engine& engine) {
  skua::TaskGroup group;
  auto endless = group.spawn(engine.scalar(kForever));
  group.spawn(engine.scalar("SELECT colour FROM item"));
  const skua::Status joined = co_await group.join();
  std::printf("the group: %s\n", joined.error().message.c_str());
  std::printf("its first task: %s\n", endless.result().error().message.c_str());
  co_return {};
}

skua::Task<skua::Status> give_up_in_time(skua::Engine& engine) {
  // Of any task, whatever it is made of.
  const auto late = co_await engine.with_deadline(20, engine.scalar(kForever));
  std::printf("%s: %s\n", to_string(late.error().code).data(), late.error().message.c_str());
  // Of one request, which the daemon then stops by itself.
  const auto stopped = co_await engine.scalar(kForever, {}, skua::RequestOptions().with_deadline_ms(20));
  std::printf("%s\n", to_string(stopped.error().code).data());
  co_return {};
}

skua::Task<skua::Status> run(skua::Engine& engine) {
  SKUA_CO_TRY(co_await count_both(engine));
  SKUA_CO_TRY(co_await turnover(engine));
  SKUA_CO_TRY(co_await fail_together(engine));
  SKUA_CO_TRY(co_await give_up_in_time(engine));
  co_return {};
}

// What is executed, line by line.
skua::Task<skua::Status> move_out(skua::Engine& engine) {
  const auto change = [](skua::AsyncTransaction& transaction) -> skua::Task<skua::Result<skua::ResultSet>> {
    return transaction.execute("UPDATE customer SET address_id = NULL WHERE name = :name",
                               skua::Parameters().set("name", "Blake"));
  };
  SKUA_CO_TRY(co_await engine.in_transaction(change));
  co_return {};
}

int report(const skua::Status& done) {
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}

}  // namespace

int main() {
  skua::Engine engine;  // $SKUA_SOCKET, and a loop of its own
  if (const int status = report(engine.run_task(run(engine))); status != 0) return status;

  skua::EngineOptions options;
  options.connect.echo.enabled = true;
  options.connect.echo.write = [](std::string_view line) {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  };
  skua::Engine watched(std::move(options));
  return report(watched.run_task(move_out(watched)));
}
