// AsyncQueries: the short ways to a value, a row, a list, batches or partitions, for what has execute() and stream() as tasks.
//
// Each is execute() or stream() and one more step, so its errors are those, and kUsage if the result is of another form than was asked for.
// Who has them must live until the task has ended. Thread rules are those of the class that has them. Queries is the same for
// the blocking client.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/result_set.h"
#include "skua/row_conversion.h"
#include "skua/row_generators.h"
#include "skua/task.h"

namespace skua {

template <class Self>
class AsyncQueries {
 public:
  // The first column of the only row.
  template <class T = Value>
  Task<Result<T>> scalar(std::string sql, Parameters parameters = {}, RequestOptions options = {}) {
    SKUA_CO_ASSIGN(const ResultSet rows, co_await self().execute(std::move(sql), std::move(parameters), std::move(options)));
    co_return rows.template scalar<T>();
  }
  // The only row, as a tuple, a struct or a single value: row_conversion.h.
  template <class T>
  Task<Result<T>> one(std::string sql, Parameters parameters = {}, RequestOptions options = {}) {
    SKUA_CO_ASSIGN(const ResultSet rows, co_await self().execute(std::move(sql), std::move(parameters), std::move(options)));
    co_return rows.template one<T>();
  }
  // The only row, or nothing if there is none.
  template <class T>
  Task<Result<std::optional<T>>> one_or_none(std::string sql, Parameters parameters = {}, RequestOptions options = {}) {
    SKUA_CO_ASSIGN(const ResultSet rows, co_await self().execute(std::move(sql), std::move(parameters), std::move(options)));
    co_return rows.template one_or_none<T>();
  }
  // All rows.
  template <class T>
  Task<Result<std::vector<T>>> all(std::string sql, Parameters parameters = {}, RequestOptions options = {}) {
    SKUA_CO_ASSIGN(const ResultSet rows, co_await self().execute(std::move(sql), std::move(parameters), std::move(options)));
    co_return rows.template all<T>();
  }
  // The rows as they come, batch by batch.
  Task<Result<AsyncBatches>> stream_batches(std::string sql, Parameters parameters = {}, RequestOptions options = {}) {
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await self().stream(std::move(sql), std::move(parameters), std::move(options)));
    co_return AsyncBatches(std::move(rows));
  }
  // The rows as they come, `row_count` at a time, at least 1.
  Task<Result<AsyncPartitions>> partitions(std::size_t row_count, std::string sql, Parameters parameters = {},
                                           RequestOptions options = {}) {
    if (row_count == 0) co_return make_error(ErrorCode::kUsage, "a partition has one row at least");
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await self().stream(std::move(sql), std::move(parameters), std::move(options)));
    co_return AsyncPartitions(std::move(rows), row_count);
  }

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace skua
