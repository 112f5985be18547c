#include "client/c/result.h"

#include <utility>

#include "client/c/batch.h"
#include "client/c/column.h"
#include "client/c/error.h"

namespace skua::c {

static_assert(SKUA_TRANSACTION_NONE == static_cast<int>(TransactionState::kNone));
static_assert(SKUA_TRANSACTION_OPEN == static_cast<int>(TransactionState::kOpen));
static_assert(SKUA_TRANSACTION_GONE == static_cast<int>(TransactionState::kAborted));

skua_summary summary_of(const Summary& summary) {
  skua_summary result{};
  result.changes = summary.changes;
  result.last_insert_rowid = summary.last_insert_rowid;
  result.row_count = summary.row_count;
  result.server_us = summary.server_us;
  result.transaction = static_cast<skua_transaction_state>(summary.transaction);
  return result;
}

}  // namespace skua::c

using namespace skua::c;

skua_result::skua_result(skua::ResultSet set) : rows(std::move(set)), summary(summary_of(rows.summary())) {}

size_t skua_result_row_count(const skua_result* result) { return result == nullptr ? 0 : result->rows.row_count(); }

size_t skua_result_column_count(const skua_result* result) {
  return result == nullptr ? 0 : result->rows.columns().size();
}

const char* skua_result_column_name(const skua_result* result, size_t column) {
  return result == nullptr ? nullptr : name_of(result->rows.columns(), column);
}

const char* skua_result_declared_type(const skua_result* result, size_t column) {
  return result == nullptr ? nullptr : declared_type_of(result->rows.columns(), column);
}

ptrdiff_t skua_result_find_column(const skua_result* result, const char* name) {
  return result == nullptr ? -1 : find_column(result->rows.columns(), name);
}

skua_code skua_result_value(const skua_result* result, size_t row, size_t column, skua_value* value) {
  if (value == nullptr) return SKUA_USAGE;
  *value = {};
  if (row >= skua_result_row_count(result) || column >= skua_result_column_count(result)) return SKUA_USAGE;
  *value = value_of(result->rows.row(row)[column]);
  return SKUA_OK;
}

size_t skua_result_batch_count(const skua_result* result) {
  return result == nullptr ? 0 : result->rows.batches().size();
}

skua_code skua_result_batch(const skua_result* result, size_t index, skua_batch** batch, skua_error** error) {
  if (batch != nullptr) *batch = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(result);
    SKUA_REQUIRE(batch);
    if (index >= result->rows.batches().size()) return usage("the result has no such batch");
    *batch = new skua_batch(result->rows.batches()[index]);
    return {};
  });
}

const skua_summary* skua_result_summary(const skua_result* result) {
  return result == nullptr ? nullptr : &result->summary;
}

void skua_result_free(skua_result* result) { delete result; }
