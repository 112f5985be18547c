#include "skua/connection.h"

#include <memory>
#include <utility>
#include <vector>

#include "client/c/execution.h"
#include "client/c/transaction.h"

struct skua_connection {
  explicit skua_connection(skua::Connection opened) : connection(std::move(opened)) {}

  skua::Connection connection;
};

struct skua_canceller {
  explicit skua_canceller(skua::Canceller of) : canceller(std::move(of)) {}

  skua::Canceller canceller;
};

using namespace skua::c;

skua_code skua_connect(const skua_connect_options* options, skua_connection** connection, skua_error** error) {
  if (connection != nullptr) *connection = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    SKUA_ASSIGN(const skua::ConnectOptions connect, connect_options(options));
    SKUA_ASSIGN(skua::Connection opened, skua::Connection::connect(connect));
    *connection = new skua_connection(std::move(opened));
    return {};
  });
}

void skua_connection_free(skua_connection* connection) { delete connection; }

int skua_connection_is_open(const skua_connection* connection) {
  return connection != nullptr && connection->connection.is_open() ? 1 : 0;
}

const char* skua_connection_server_version(const skua_connection* connection) {
  return connection == nullptr ? nullptr : connection->connection.server().server_version.c_str();
}

const char* skua_connection_sqlite_version(const skua_connection* connection) {
  return connection == nullptr ? nullptr : connection->connection.server().sqlite_version.c_str();
}

uint64_t skua_connection_session_id(const skua_connection* connection) {
  return connection == nullptr ? 0 : connection->connection.server().session_id;
}

skua_code skua_connection_ping(skua_connection* connection, const skua_request_options* options, skua_error** error) {
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    SKUA_ASSIGN(const skua::RequestOptions request, request_options(options));
    return connection->connection.ping(request);
  });
}

skua_code skua_connection_execute(skua_connection* connection, const char* sql, const skua_parameters* parameters,
                                  const skua_request_options* options, skua_result** result, skua_error** error) {
  if (result != nullptr) *result = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    return execute(connection->connection, sql, parameters, options, result);
  });
}

skua_code skua_connection_execute_many(skua_connection* connection, const char* sql, const skua_rows* rows,
                                       const skua_request_options* options, skua_result** result, skua_error** error) {
  if (result != nullptr) *result = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    return execute_many(connection->connection, sql, rows, options, result);
  });
}

skua_code skua_connection_stream(skua_connection* connection, const char* sql, const skua_parameters* parameters,
                                 const skua_request_options* options, skua_stream** stream, skua_error** error) {
  if (stream != nullptr) *stream = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    SKUA_REQUIRE(stream);
    return skua::c::stream(connection->connection, sql, parameters, options, stream);
  });
}

skua_code skua_connection_begin(skua_connection* connection, skua_transaction_mode mode,
                                const skua_request_options* options, skua_transaction** transaction, skua_error** error) {
  if (transaction != nullptr) *transaction = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    SKUA_REQUIRE(transaction);
    SKUA_ASSIGN(const skua::TransactionMode how, transaction_mode(mode));
    SKUA_ASSIGN(const skua::RequestOptions request, request_options(options));
    SKUA_ASSIGN(skua::Transaction begun, connection->connection.begin(how, request));
    *transaction = new skua_transaction(std::move(begun));
    return {};
  });
}

skua_code skua_connection_begin_group(skua_connection* connection, size_t count, const skua_request_options* options,
                                      skua_transaction** transactions, skua_error** error) {
  for (std::size_t i = 0; transactions != nullptr && i < count; ++i) transactions[i] = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    SKUA_REQUIRE(transactions);
    SKUA_ASSIGN(const skua::RequestOptions request, request_options(options));
    SKUA_ASSIGN(std::vector<skua::Transaction> group, connection->connection.begin_group(count, request));
    std::vector<std::unique_ptr<skua_transaction>> handles;
    for (skua::Transaction& begun : group) handles.push_back(std::make_unique<skua_transaction>(std::move(begun)));
    for (std::size_t i = 0; i < count; ++i) transactions[i] = handles[i].release();
    return {};
  });
}

skua_code skua_canceller_new(const skua_connection* connection, skua_canceller** canceller, skua_error** error) {
  if (canceller != nullptr) *canceller = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(connection);
    SKUA_REQUIRE(canceller);
    *canceller = new skua_canceller(connection->connection.canceller());
    return {};
  });
}

void skua_cancel(const skua_canceller* canceller) {
  if (canceller != nullptr) canceller->canceller.cancel();
}

void skua_canceller_free(skua_canceller* canceller) { delete canceller; }
