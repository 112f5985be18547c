// What connections and transactions execute in the same way: arguments of C in, C++ called, handles out. The target is a
// Connection or a Transaction, and its thread the one that calls.
#pragma once

#include <utility>

#include "client/c/error.h"
#include "client/c/options.h"
#include "client/c/parameters.h"
#include "client/c/result.h"
#include "client/c/rows.h"
#include "client/c/stream.h"
#include "skua/result_set.h"

namespace skua::c {

template <class Target>
Status execute(Target& target, const char* sql, const skua_parameters* parameters, const skua_request_options* options,
               skua_result** result) {
  SKUA_REQUIRE(sql);
  SKUA_ASSIGN(const Parameters* const list, parameters_of(parameters));
  SKUA_ASSIGN(const RequestOptions request, request_options(options));
  SKUA_ASSIGN(ResultSet rows, target.execute(sql, *list, request));
  if (result != nullptr) *result = new skua_result(std::move(rows));
  return {};
}

template <class Target>
Status execute_many(Target& target, const char* sql, const skua_rows* rows, const skua_request_options* options,
                    skua_result** result) {
  SKUA_REQUIRE(sql);
  SKUA_ASSIGN(const ParameterRows* const list, rows_of(rows));
  SKUA_ASSIGN(const RequestOptions request, request_options(options));
  SKUA_ASSIGN(const Summary summary, target.execute_many(sql, *list, request));
  if (result != nullptr) *result = new skua_result(ResultSet(Columns(), {}, summary));
  return {};
}

template <class Target>
Status stream(Target& target, const char* sql, const skua_parameters* parameters, const skua_request_options* options,
              skua_stream** out) {
  SKUA_REQUIRE(sql);
  SKUA_ASSIGN(const Parameters* const list, parameters_of(parameters));
  SKUA_ASSIGN(const RequestOptions request, request_options(options));
  SKUA_ASSIGN(RowStream rows, target.stream(sql, *list, request));
  *out = new skua_stream(std::move(rows));
  return {};
}

}  // namespace skua::c
