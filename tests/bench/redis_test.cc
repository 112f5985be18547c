// What Redis and redis-benchmark say, as the harness reads it.
#include <criterion/criterion.h>

#include "bench/peers/redis_benchmark.h"
#include "bench/peers/resp_reader.h"
#include "bench/workloads/point_table.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::bench;
using namespace skua::test;
using Kind = RespReply::Kind;

Test(resp, a_command_says_the_length_of_each_word) {
  cr_assert_eq(resp_command({"GET", "a\r\nb", ""}), "*3\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n");
}

Test(resp, replies_come_whole_however_the_bytes_do) {
  const std::string stream = std::string("+OK\r\n$5\r\na\r\n\0b\r\n", 16) + "$-1\r\n$0\r\n\r\n:42\r\n-ERR no\r\n";
  const struct {
    Kind kind;
    std::string text;
  } wanted[] = {
      {Kind::kSimple, "OK"},  {Kind::kBulk, std::string("a\r\n\0b", 5)}, {Kind::kNull, ""},
      {Kind::kBulk, ""},      {Kind::kInteger, "42"},                     {Kind::kError, "ERR no"},
  };
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    RespReader reader;
    std::size_t count = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.add(std::string_view(stream).substr(at, piece));
      while (const std::optional<RespReply> reply = must(reader.next())) {
        cr_assert_lt(count, std::size(wanted));
        cr_assert_eq(reply->kind, wanted[count].kind, "reply %zu in pieces of %zu", count, piece);
        cr_assert_eq(std::string(reply->text), wanted[count].text, "reply %zu in pieces of %zu", count, piece);
        ++count;
      }
    }
    cr_assert_eq(count, std::size(wanted), "%zu replies in pieces of %zu", count, piece);
  }
}

Test(resp, what_is_no_reply_is_refused) {
  for (const char* const stream : {"\r\n", "*1\r\n", "x\r\n", "$\r\n", "$x\r\n", "$-2\r\n", "$1x\r\n", "$1\r\nabc"}) {
    RespReader reader;
    reader.add(stream);
    const auto reply = reader.next();
    cr_assert(!reply, "%s", stream);
    cr_assert_eq(reply.error().code, ErrorCode::kProtocol, "%s", stream);
  }
}

Test(resp, a_length_beyond_all_memory_waits_for_bytes_and_takes_none) {
  RespReader reader;
  reader.add("$18446744073709551615\r\nabc\r\n");
  cr_assert(!must(reader.next()));
}

Test(redis_benchmark, its_rate_is_read_from_its_table) {
  const std::string table =
      "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\","
      "\"max_latency_ms\"\n\"GET\",\"242215.50\",\"0.061\",\"0.024\",\"0.055\",\"0.087\",\"0.119\",\"3.559\"\n";
  cr_assert_eq(must(requests_per_second_of(table)), 242215.5);
  for (const char* const other : {"", "\"GET\",\"", "\"GET\",\"-1\"", "\"GET\",\"x\"", "\"SET\",\"1.0\"", "\"GET\",\"1.0"}) {
    cr_assert(!requests_per_second_of(other), "%s", other);
  }
}

Test(point_table, its_keys_are_those_that_redis_benchmark_asks_for) {
  cr_assert_eq(point_key(1), "key:000000000000");
  cr_assert_eq(point_key(kPointRows), "key:000000099999");
  cr_assert_eq(point_get(1), "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n");
}

Test(point_table, a_row_is_right_only_as_a_whole) {
  cr_assert(is_point_row(12, 12, "item number 12", 3.0, 84));
  cr_assert(!is_point_row(12, 13, "item number 12", 3.0, 84));
  cr_assert(!is_point_row(12, 12, "item number 1", 3.0, 84));
  cr_assert(!is_point_row(12, 12, "item number 12 ", 3.0, 84));
  cr_assert(!is_point_row(12, 12, "item number ", 3.0, 84));
  cr_assert(!is_point_row(12, 12, "item number 12", 3.25, 84));
  cr_assert(!is_point_row(12, 12, "item number 12", 3.0, 85));
  cr_assert(!is_point_value(12, "too short"));
}
