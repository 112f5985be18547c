// Queries: the short ways to a value, a row, a list, batches or partitions, for what can execute() and stream().
//
// Each is execute() or stream() and one more step, so its errors are those, and kUsage if the result is of another form than was asked for.
// Thread rules are those of the class that has them. AsyncQueries is the same for coroutines.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/result_set.h"
#include "skua/row_conversion.h"
#include "skua/row_generators.h"

namespace skua {

template <class Self>
class Queries {
 public:
  // The first column of the only row.
  template <class T = Value>
  Result<T> scalar(std::string_view sql, const Parameters& parameters = {}, const RequestOptions& options = {}) {
    SKUA_ASSIGN(const ResultSet rows, self().execute(sql, parameters, options));
    return rows.scalar<T>();
  }
  // The only row, as a tuple, a struct or a single value: row_conversion.h.
  template <class T>
  Result<T> one(std::string_view sql, const Parameters& parameters = {}, const RequestOptions& options = {}) {
    SKUA_ASSIGN(const ResultSet rows, self().execute(sql, parameters, options));
    return rows.one<T>();
  }
  // The only row, or nothing if there is none.
  template <class T>
  Result<std::optional<T>> one_or_none(std::string_view sql, const Parameters& parameters = {},
                                       const RequestOptions& options = {}) {
    SKUA_ASSIGN(const ResultSet rows, self().execute(sql, parameters, options));
    return rows.one_or_none<T>();
  }
  // All rows.
  template <class T>
  Result<std::vector<T>> all(std::string_view sql, const Parameters& parameters = {}, const RequestOptions& options = {}) {
    SKUA_ASSIGN(const ResultSet rows, self().execute(sql, parameters, options));
    return rows.all<T>();
  }
  // The rows as they come, batch by batch.
  Result<Batches> stream_batches(std::string_view sql, const Parameters& parameters = {}, const RequestOptions& options = {}) {
    SKUA_ASSIGN(RowStream rows, self().stream(sql, parameters, options));
    return Batches(std::move(rows));
  }
  // The rows as they come, `row_count` at a time, at least 1.
  Result<Partitions> partitions(std::size_t row_count, std::string_view sql, const Parameters& parameters = {},
                                const RequestOptions& options = {}) {
    if (row_count == 0) return make_error(ErrorCode::kUsage, "a partition has one row at least");
    SKUA_ASSIGN(RowStream rows, self().stream(sql, parameters, options));
    return Partitions(std::move(rows), row_count);
  }

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace skua
