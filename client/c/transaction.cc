#include "client/c/transaction.h"

#include "client/c/execution.h"

using namespace skua::c;

skua_code skua_transaction_execute(skua_transaction* transaction, const char* sql, const skua_parameters* parameters,
                                   const skua_request_options* options, skua_result** result, skua_error** error) {
  if (result != nullptr) *result = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    return execute(transaction->transaction, sql, parameters, options, result);
  });
}

skua_code skua_transaction_execute_many(skua_transaction* transaction, const char* sql, const skua_rows* rows,
                                        const skua_request_options* options, skua_result** result, skua_error** error) {
  if (result != nullptr) *result = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    return execute_many(transaction->transaction, sql, rows, options, result);
  });
}

skua_code skua_transaction_stream(skua_transaction* transaction, const char* sql, const skua_parameters* parameters,
                                  const skua_request_options* options, skua_stream** stream, skua_error** error) {
  if (stream != nullptr) *stream = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    SKUA_REQUIRE(stream);
    return skua::c::stream(transaction->transaction, sql, parameters, options, stream);
  });
}

skua_code skua_transaction_savepoint(skua_transaction* transaction, const char* name, skua_error** error) {
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    SKUA_REQUIRE(name);
    return transaction->transaction.savepoint(name);
  });
}

skua_code skua_transaction_release(skua_transaction* transaction, const char* name, skua_error** error) {
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    SKUA_REQUIRE(name);
    return transaction->transaction.release(name);
  });
}

skua_code skua_transaction_rollback_to(skua_transaction* transaction, const char* name, skua_error** error) {
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    SKUA_REQUIRE(name);
    return transaction->transaction.rollback_to(name);
  });
}

skua_code skua_transaction_commit(skua_transaction* transaction, const skua_request_options* options, skua_error** error) {
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    SKUA_ASSIGN(const skua::RequestOptions request, request_options(options));
    return transaction->transaction.commit(request);
  });
}

skua_code skua_transaction_rollback(skua_transaction* transaction, skua_error** error) {
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(transaction);
    return transaction->transaction.rollback();
  });
}

int skua_transaction_is_open(const skua_transaction* transaction) {
  return transaction != nullptr && transaction->transaction.is_open() ? 1 : 0;
}

void skua_transaction_free(skua_transaction* transaction) { delete transaction; }
