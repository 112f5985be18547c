#include "bench/workloads/skua_point.h"

#include <random>

#include "bench/workloads/point_table.h"

namespace skua::bench {

Status SkuaPoint::prepare() { return fill_point_table(setup_.server); }

Result<Operation> SkuaPoint::make_operation(std::size_t client) {
  SKUA_ASSIGN(Connection opened, setup_.server.connect());
  auto connection = std::make_shared<Connection>(std::move(opened));
  return Operation(
      [connection, random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
        const std::int64_t id = random_point_id(random);
        SKUA_ASSIGN(const ResultSet rows, connection->execute(kPointSelect, Parameters::of(id)));
        SKUA_ASSIGN(const Row row, rows.one());
        if (!is_point_row(id, row[0].integer(), row[1].bytes(), row[2].real(), row[3].integer())) {
          return wrong_point_row(id);
        }
        return std::uint64_t{1};
      });
}

}  // namespace skua::bench
