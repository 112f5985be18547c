#include "tests/c/scenario.h"

static void null_handles(void) {
  skua_transaction *transaction = NULL;
  skua_result *result = NULL;
  skua_stream *stream = NULL;
  skua_batch *batch = NULL;
  skua_canceller *canceller = NULL;
  MUST_FAIL(SKUA_USAGE, skua_connect(NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_ping(NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_execute(NULL, "SELECT 1", NULL, NULL, &result, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_execute_many(NULL, "SELECT 1", NULL, NULL, &result, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_stream(NULL, "SELECT 1", NULL, NULL, &stream, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_begin(NULL, SKUA_TRANSACTION_WRITE, NULL, &transaction, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_begin_group(NULL, 1, NULL, &transaction, &error));
  MUST_FAIL(SKUA_USAGE, skua_canceller_new(NULL, &canceller, &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_execute(NULL, "SELECT 1", NULL, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_execute_many(NULL, "SELECT 1", NULL, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_stream(NULL, "SELECT 1", NULL, NULL, &stream, &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_savepoint(NULL, "a", &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_release(NULL, "a", &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_rollback_to(NULL, "a", &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_commit(NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_rollback(NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_result_batch(NULL, 0, &batch, &error));
  MUST_FAIL(SKUA_USAGE, skua_stream_next_batch(NULL, &batch, &error));
  MUST_FAIL(SKUA_USAGE, skua_rows_new(1, NULL, NULL, &error));
  REQUIRE(skua_connect(NULL, NULL, NULL) == SKUA_USAGE);
  REQUIRE(skua_connection_ping(NULL, NULL, NULL) == SKUA_USAGE);
}

static void null_objects(void) {
  skua_value value;
  REQUIRE(skua_error_code(NULL) == SKUA_OK && strcmp(skua_error_message(NULL), "") == 0);
  REQUIRE(skua_error_sqlite_code(NULL) == 0 && skua_error_sql_offset(NULL) == -1 && skua_error_row(NULL) == -1);
  REQUIRE(!skua_error_is_retryable(NULL) && !skua_error_ends_transaction(NULL));
  REQUIRE(!skua_connection_is_open(NULL) && skua_connection_server_version(NULL) == NULL);
  REQUIRE(skua_connection_sqlite_version(NULL) == NULL && skua_connection_session_id(NULL) == 0);
  REQUIRE(!skua_transaction_is_open(NULL));
  REQUIRE(skua_parameters_bind_null(NULL, NULL) == SKUA_USAGE && skua_parameters_bind_int64(NULL, NULL, 1) == SKUA_USAGE);
  REQUIRE(skua_parameters_bind_double(NULL, NULL, 1) == SKUA_USAGE);
  REQUIRE(skua_parameters_bind_text(NULL, NULL, NULL, SKUA_NUL_TERMINATED) == SKUA_USAGE);
  REQUIRE(skua_parameters_bind_blob(NULL, NULL, NULL, 1) == SKUA_USAGE);
  REQUIRE(skua_rows_append_null(NULL) == SKUA_USAGE && skua_rows_append_int64(NULL, 1) == SKUA_USAGE);
  REQUIRE(skua_rows_append_double(NULL, 1) == SKUA_USAGE && skua_rows_append_text(NULL, "", 0) == SKUA_USAGE);
  REQUIRE(skua_rows_append_blob(NULL, "", 0) == SKUA_USAGE && skua_rows_end_row(NULL) == SKUA_USAGE);
  REQUIRE(skua_rows_append_columns(NULL, NULL, 0) == SKUA_USAGE);
  REQUIRE(skua_rows_count(NULL) == 0 && skua_rows_byte_count(NULL) == 0);
  REQUIRE(skua_result_row_count(NULL) == 0 && skua_result_column_count(NULL) == 0 && skua_result_batch_count(NULL) == 0);
  REQUIRE(skua_result_column_name(NULL, 0) == NULL && skua_result_declared_type(NULL, 0) == NULL);
  REQUIRE(skua_result_find_column(NULL, "a") == -1 && skua_result_summary(NULL) == NULL);
  REQUIRE(skua_result_value(NULL, 0, 0, &value) == SKUA_USAGE && skua_result_value(NULL, 0, 0, NULL) == SKUA_USAGE);
  REQUIRE(skua_stream_column_count(NULL) == 0 && skua_stream_column_name(NULL, 0) == NULL);
  REQUIRE(skua_stream_declared_type(NULL, 0) == NULL && skua_stream_find_column(NULL, "a") == -1);
  REQUIRE(skua_stream_summary(NULL) == NULL);
  REQUIRE(skua_batch_row_count(NULL) == 0 && skua_batch_column_count(NULL) == 0 && skua_batch_column(NULL, 0) == NULL);
  REQUIRE(skua_batch_value(NULL, 0, 0, &value) == SKUA_USAGE && skua_column_value(NULL, 0, &value) == SKUA_USAGE);
  skua_cancel(NULL);
  skua_parameters_clear(NULL);
  skua_rows_clear(NULL);
  skua_error_free(NULL);
  skua_connection_free(NULL);
  skua_canceller_free(NULL);
  skua_transaction_free(NULL);
  skua_parameters_free(NULL);
  skua_rows_free(NULL);
  skua_result_free(NULL);
  skua_stream_free(NULL);
  skua_batch_free(NULL);
}

void misuse_is_an_error(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_transaction *transaction = NULL;
  skua_result *result = NULL;
  skua_batch *batch = NULL;
  skua_rows *rows = NULL;
  static const char *const names[] = {"a", NULL};
  null_handles();
  null_objects();
  MUST_FAIL(SKUA_USAGE, skua_connection_execute(connection, NULL, NULL, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_execute_many(connection, "SELECT 1", NULL, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_stream(connection, "SELECT 1", NULL, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_begin(connection, SKUA_TRANSACTION_READ, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_begin(connection, (skua_transaction_mode)2, NULL, &transaction, &error));
  MUST_FAIL(SKUA_USAGE, skua_connection_begin_group(connection, 1, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_canceller_new(connection, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_rows_new(2, names, &rows, &error));
  MUST(skua_connection_execute(connection, "SELECT 1", NULL, NULL, &result, &error));
  MUST_FAIL(SKUA_USAGE, skua_result_batch(result, 1, &batch, &error));
  MUST_FAIL(SKUA_USAGE, skua_result_batch(result, 0, NULL, &error));
  REQUIRE(skua_result_find_column(result, NULL) == -1);
  skua_result_free(result);
  REQUIRE(strcmp(skua_code_name((skua_code)1999), "unknown") == 0 && strcmp(skua_code_name(SKUA_OK), "ok") == 0);
  /* None of it has done any harm. */
  REQUIRE(integer_of(connection, "SELECT 1") == 1);
  skua_connection_free(connection);
}

/* What a program of a later version passes. */
struct later_options {
  skua_request_options known;
  uint64_t later;
};

void options_of_another_version(const struct world *world) {
  skua_connection *connection = connect_to(world), *other = NULL;
  struct later_options options = {SKUA_REQUEST_OPTIONS_INIT, 0};
  skua_connect_options connect = SKUA_CONNECT_OPTIONS_INIT;
  options.known.struct_size = sizeof(options);
  MUST(skua_connection_ping(connection, &options.known, &error));
  options.later = 1;
  MUST_FAIL(SKUA_VERSION, skua_connection_ping(connection, &options.known, &error));
  options.known.struct_size = 0;
  MUST_FAIL(SKUA_USAGE, skua_connection_ping(connection, &options.known, &error));
  options.known.struct_size = SIZE_MAX;
  MUST_FAIL(SKUA_USAGE, skua_connection_ping(connection, &options.known, &error));
  options.known.struct_size = sizeof(options.known);
  options.known.durability = (skua_durability)2;
  MUST_FAIL(SKUA_USAGE, skua_connection_ping(connection, &options.known, &error));
  options.known.durability = SKUA_DURABILITY_RELAXED;
  options.known.independent_rows = 2;
  MUST_FAIL(SKUA_USAGE, skua_connection_ping(connection, &options.known, &error));
  options.known.independent_rows = 0;
  options.known.idempotency_key_size = 1;
  MUST_FAIL(SKUA_USAGE, skua_connection_ping(connection, &options.known, &error));
  options.known.idempotency_key = "";
  options.known.idempotency_key_size = 0;
  MUST_FAIL(SKUA_USAGE, skua_connection_ping(connection, &options.known, &error));

  connect.socket_path = world->socket_path;
  connect.reserved = 1;
  MUST_FAIL(SKUA_USAGE, skua_connect(&connect, &other, &error));
  connect.reserved = 0;
  connect.struct_size = 8;
  MUST_FAIL(SKUA_USAGE, skua_connect(&connect, &other, &error));
  REQUIRE(other == NULL);
  skua_connection_free(connection);
}

void mistakes_in_parameters_are_remembered(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_parameters *parameters = skua_parameters_new();
  skua_parameters_bind_int64(parameters, NULL, 1);
  REQUIRE(skua_parameters_bind_int64(parameters, "name", 1) == SKUA_USAGE);
  REQUIRE(skua_parameters_bind_int64(parameters, NULL, 1) == SKUA_USAGE);
  MUST_FAIL(SKUA_USAGE, skua_connection_execute(connection, "SELECT ?", parameters, NULL, NULL, &error));
  skua_parameters_clear(parameters);
  MUST_FAIL(SKUA_PARAMETER, skua_connection_execute(connection, "SELECT ?", parameters, NULL, NULL, &error));
  skua_parameters_bind_int64(parameters, NULL, 1);
  MUST(skua_connection_execute(connection, "SELECT ?", parameters, NULL, NULL, &error));
  REQUIRE(skua_parameters_bind_text(parameters, NULL, NULL, 3) == SKUA_USAGE);
  skua_parameters_clear(parameters);
  REQUIRE(skua_parameters_bind_blob(parameters, NULL, NULL, 3) == SKUA_USAGE);
  skua_parameters_clear(parameters);
  REQUIRE(skua_parameters_bind_null(parameters, "") == SKUA_USAGE);
  skua_parameters_clear(parameters);
  /* A size that no memory has: it is not looked at what is there. */
  REQUIRE(skua_parameters_bind_blob(parameters, NULL, "", SIZE_MAX - 1) == SKUA_NO_MEMORY);
  MUST_FAIL(SKUA_NO_MEMORY, skua_connection_execute(connection, "SELECT ?", parameters, NULL, NULL, &error));
  skua_parameters_free(parameters);
  skua_connection_free(connection);
}
