// The requests of a window are, byte for byte, those that the client library would send.
#include "bench/peers/skua_session.h"

#include <criterion/criterion.h>

#include "bench/workloads/point_table.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::bench;
using namespace skua::test;

Test(execute_window, has_the_requests_that_the_client_library_builds) {
  constexpr std::size_t kDepth = 3;
  constexpr std::uint64_t kColumnsId = 0x5656'054d;
  ExecuteWindow window = must(ExecuteWindow::build(kPointSelect, kDepth, kColumnsId));
  // Twice: what is written the second time must leave nothing of the first.
  for (const std::int64_t base : {std::int64_t{-1}, std::int64_t{99'998}}) {
    std::string wanted;
    for (std::size_t i = 0; i < kDepth; ++i) {
      const std::uint64_t id = 1'000 + i;
      const std::int64_t parameter = base + static_cast<std::int64_t>(i);
      window.set(i, id, parameter);
      const RequestHead head{id, kSkuaDatabase};
      const Request request =
          must(execute_request(head, kPointSelect, Parameters::of(parameter), 0, Durability::kFull, kColumnsId));
      wanted += request.frame.bytes();
    }
    cr_assert(window.bytes() == wanted);
  }
}
