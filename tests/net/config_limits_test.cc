// The [limits] section: every limit of protocol/limits.h by its name, at its least and its most and one beyond.
#include <criterion/criterion.h>
#include <fmt/format.h>

#include <variant>

#include "daemon/config.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::test;

namespace {

using Member = std::variant<std::uint32_t Limits::*, std::uint64_t Limits::*>;

struct LimitCase {
  const char* name;
  Member member;
  std::int64_t min;
  std::int64_t max;
};

constexpr std::int64_t kCountMax = 0xffff'ffff;
constexpr std::int64_t kBytesMax = std::int64_t{1} << 40;
constexpr std::int64_t kMsMax = 0x7fff'ffff;

const LimitCase kLimits[] = {
    {"sessions_max", &Limits::sessions_max, 1, 1'000'000},
    {"requests_per_session_max", &Limits::requests_per_session_max, 1, kCountMax},
    {"request_bytes_per_session_max", &Limits::request_bytes_per_session_max, 64 * 1024, kBytesMax},
    {"transactions_per_session_max", &Limits::transactions_per_session_max, 1, kCountMax},
    {"unsent_bytes_per_session_max", &Limits::unsent_bytes_per_session_max, 1024 * 1024, kBytesMax},
    {"stream_window_bytes", &Limits::stream_window_bytes, 1, kCountMax},
    {"stream_window_bytes_max", &Limits::stream_window_bytes_max, 1, kCountMax},
    {"held_result_bytes_max", &Limits::held_result_bytes_max, 1, kBytesMax},
    {"reader_connections_max", &Limits::reader_connections_max, 1, 65'536},
    {"reader_threads", &Limits::reader_threads, 1, 1'024},
    {"pinned_connections_max", &Limits::pinned_connections_max, 0, 65'536},
    {"siblings_wait_ms_max", &Limits::siblings_wait_ms_max, 1, kMsMax},
    {"write_queue_max", &Limits::write_queue_max, 1, kCountMax},
    {"write_wait_ms_max", &Limits::write_wait_ms_max, 1, kMsMax},
    {"group_requests_max", &Limits::group_requests_max, 1, 65'536},
    {"group_bytes_max", &Limits::group_bytes_max, 1, kBytesMax},
    {"group_wait_us", &Limits::group_wait_us, 0, 1'000'000},
    {"bulk_slice_ms_max", &Limits::bulk_slice_ms_max, 0, 10'000},
    {"transaction_idle_ms_max", &Limits::transaction_idle_ms_max, 1, kMsMax},
    {"transaction_total_ms_max", &Limits::transaction_total_ms_max, 1, kMsMax},
    {"stream_idle_ms_max", &Limits::stream_idle_ms_max, 1, kMsMax},
    {"stream_lease_ms_max", &Limits::stream_lease_ms_max, 0, kMsMax},
    {"spool_bytes_max", &Limits::spool_bytes_max, 1, kBytesMax},
    {"spool_total_bytes_max", &Limits::spool_total_bytes_max, 0, kBytesMax},
    {"response_memory_bytes_max", &Limits::response_memory_bytes_max, 1024 * 1024, kBytesMax},
    {"request_memory_bytes_max", &Limits::request_memory_bytes_max, 64 * 1024, kBytesMax},
    {"wal_bytes_max", &Limits::wal_bytes_max, 1024 * 1024, kBytesMax},
    {"wal_drain_ms_max", &Limits::wal_drain_ms_max, 1, kMsMax},
    {"hello_ms_max", &Limits::hello_ms_max, 1, kMsMax},
    {"drain_ms_max", &Limits::drain_ms_max, 1, kMsMax},
    {"rings_max", &Limits::rings_max, 0, 65'536},
    {"busy_poll_us", &Limits::busy_poll_us, 0, 10'000},
    {"statement_cache_entries", &Limits::statement_cache_entries, 1, 1'000'000},
    {"statement_cache_bytes_max", &Limits::statement_cache_bytes_max, 0, kBytesMax},
};

std::int64_t value_of(const Limits& limits, const Member& member) {
  return std::visit([&](auto pointer) { return static_cast<std::int64_t>(limits.*pointer); }, member);
}

Result<Limits> read_limit(const TemporaryDirectory& folder, const char* name, const std::string& value) {
  Config config;
  SKUA_TRY(read_config_file(folder.write("skua.toml", fmt::format("[limits]\n{} = {}\n", name, value)), config));
  return config.limits;
}

}  // namespace

Test(config_limits, each_limit_takes_its_least_and_its_most) {
  const TemporaryDirectory folder;
  for (const LimitCase& limit : kLimits) {
    for (const std::int64_t value : {limit.min, limit.max}) {
      const Limits limits = must(read_limit(folder, limit.name, std::to_string(value)), limit.name);
      cr_expect_eq(value_of(limits, limit.member), value, "%s", limit.name);
    }
  }
}

Test(config_limits, each_limit_refuses_one_less_and_one_more) {
  const TemporaryDirectory folder;
  for (const LimitCase& limit : kLimits) {
    for (const std::int64_t value : {limit.min - 1, limit.max + 1, std::int64_t{-1}}) {
      const auto limits = read_limit(folder, limit.name, std::to_string(value));
      cr_assert(!limits, "%s = %ld was taken", limit.name, static_cast<long>(value));
      const std::string expected =
          fmt::format(":2: '{}' is {}, it must be from {} to {}", limit.name, value, limit.min, limit.max);
      cr_expect(limits.error().message.ends_with(expected), "%s", limits.error().message.c_str());
    }
  }
}

Test(config_limits, each_limit_has_a_default_it_would_take) {
  for (const LimitCase& limit : kLimits) {
    const std::int64_t value = value_of(Limits(), limit.member);
    cr_expect(value >= limit.min && value <= limit.max, "%s", limit.name);
  }
}

Test(config_limits, a_number_larger_than_any_is_an_error) {
  const TemporaryDirectory folder;
  cr_assert(!read_limit(folder, "sessions_max", "99999999999999999999"));
}
