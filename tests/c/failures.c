#define _POSIX_C_SOURCE 200809L
#include <signal.h>

#include "tests/c/scenario.h"

void a_constraint_says_what_it_is(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_error *error = NULL;
  skua_result *result = NULL;
  run_sql(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
  run_sql(connection, "INSERT INTO t VALUES (1, 'one')");
  REQUIRE(skua_connection_execute(connection, "INSERT INTO t VALUES (2, 'one')", NULL, NULL, &result, &error) ==
          SKUA_CONSTRAINT);
  REQUIRE(result == NULL && skua_error_code(error) == SKUA_CONSTRAINT);
  REQUIRE(strcmp(skua_code_name(skua_error_code(error)), "constraint") == 0);
  REQUIRE(skua_error_sqlite_code(error) == 2067); /* SQLITE_CONSTRAINT_UNIQUE */
  REQUIRE(strstr(skua_error_message(error), "t.name") != NULL);
  REQUIRE(skua_error_row(error) == -1 && skua_error_sql_offset(error) == -1);
  REQUIRE(!skua_error_is_retryable(error) && !skua_error_ends_transaction(error));
  skua_error_free(error);

  /* Without an error object the code is all there is; on success the object is NULL. */
  REQUIRE(skua_connection_execute(connection, "INSERT INTO t VALUES (1, 'two')", NULL, NULL, NULL, NULL) ==
          SKUA_CONSTRAINT);
  REQUIRE(skua_connection_execute(connection, "INSERT INTO t VALUES (2, 'two')", NULL, NULL, NULL, &error) == SKUA_OK);
  REQUIRE(error == NULL);
  skua_connection_free(connection);
}

void wrong_sql_says_where(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_connect_options options = SKUA_CONNECT_OPTIONS_INIT;
  skua_request_options request = SKUA_REQUEST_OPTIONS_INIT;
  skua_stream *stream = NULL;
  skua_error *error = NULL;
  REQUIRE(skua_connection_execute(connection, "SELECT 1 FORM t", NULL, NULL, NULL, &error) == SKUA_SQL);
  REQUIRE(skua_error_sql_offset(error) == 14); /* FORM is taken for the column's name */
  skua_error_free(error);
  REQUIRE(skua_connection_stream(connection, "SELECT missing", NULL, NULL, &stream, &error) == SKUA_SQL);
  REQUIRE(stream == NULL && skua_error_sql_offset(error) == 7);
  skua_error_free(error);
  MUST_FAIL(SKUA_SQL, skua_connection_execute(connection, "SELECT 1; SELECT 2", NULL, NULL, NULL, &error));
  request.database = "no such one";
  MUST_FAIL(SKUA_NOT_FOUND, skua_connection_execute(connection, "SELECT 1", NULL, &request, NULL, &error));
  skua_connection_free(connection);

  /* The database of a connection is that of its requests. */
  options.socket_path = world->socket_path;
  options.database = "main";
  MUST(skua_connect(&options, &connection, &error));
  REQUIRE(integer_of(connection, "SELECT 1") == 1);
  skua_connection_free(connection);
}

void a_deadline_passes(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_request_options options = SKUA_REQUEST_OPTIONS_INIT;
  skua_error *error = NULL;
  options.deadline_ms = 100;
  REQUIRE(skua_connection_execute(connection, FOREVER, NULL, &options, NULL, &error) == SKUA_DEADLINE);
  REQUIRE(skua_error_is_retryable(error));
  skua_error_free(error);
  REQUIRE(integer_of(connection, "SELECT 1") == 1);
  skua_connection_free(connection);
}

void nobody_answers(const struct world *world) {
  skua_connect_options options = SKUA_CONNECT_OPTIONS_INIT;
  skua_connection *connection = NULL;
  skua_error *error = NULL;
  char path[200];
  (void)world;
  options.socket_path = "/nowhere/skua.sock";
  REQUIRE(skua_connect(&options, &connection, &error) == SKUA_CONNECT && connection == NULL);
  REQUIRE(strstr(skua_error_message(error), "/nowhere/skua.sock") != NULL && skua_error_is_retryable(error));
  skua_error_free(error);
  memset(path, 'x', sizeof(path) - 1);
  path[sizeof(path) - 1] = '\0';
  options.socket_path = path;
  MUST_FAIL(SKUA_USAGE, skua_connect(&options, &connection, &error));
}

void the_daemon_is_killed(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_transaction *transaction = NULL;
  skua_stream *stream = NULL;
  skua_batch *batch = NULL;
  skua_error *error = NULL;
  skua_connection *other;
  run_sql(connection, "CREATE TABLE t (v)");
  MUST(skua_connection_begin(connection, SKUA_TRANSACTION_WRITE, NULL, &transaction, &error));
  other = connect_to(world);
  MUST(skua_connection_stream(other, ENDLESS_ROWS, NULL, NULL, &stream, &error));
  REQUIRE(kill((pid_t)world->daemon_pid, SIGKILL) == 0);

  REQUIRE(skua_transaction_execute(transaction, "INSERT INTO t VALUES (1)", NULL, NULL, NULL, &error) == SKUA_LOST);
  REQUIRE(skua_error_ends_transaction(error) && skua_error_is_retryable(error));
  skua_error_free(error);
  REQUIRE(!skua_connection_is_open(connection));
  MUST_FAIL(SKUA_LOST, skua_connection_ping(connection, NULL, &error));
  MUST_FAIL(SKUA_LOST, skua_transaction_rollback(transaction, &error));

  /* Rows that had arrived are still given, then the stream says so, and says it again. */
  do {
    const skua_code code = skua_stream_next_batch(stream, &batch, &error);
    skua_batch_free(batch);
    if (code == SKUA_OK) REQUIRE(batch != NULL);
  } while (error == NULL);
  REQUIRE(skua_error_code(error) == SKUA_LOST && batch == NULL && skua_stream_summary(stream) == NULL);
  skua_error_free(error);
  MUST_FAIL(SKUA_LOST, skua_stream_next_batch(stream, &batch, &error));

  skua_stream_free(stream);
  skua_transaction_free(transaction);
  skua_connection_free(connection);
  skua_connection_free(other);
}

void a_key_is_not_executed_twice(const struct world *world) {
  static const char key[] = {'k', '\0', 'y'};
  skua_connection *connection = connect_to(world);
  skua_request_options options = SKUA_REQUEST_OPTIONS_INIT;
  int i;
  run_sql(connection, "CREATE TABLE t (v)");
  options.idempotency_key = key;
  options.idempotency_key_size = sizeof(key);
  options.durability = SKUA_DURABILITY_RELAXED;
  for (i = 0; i < 2; ++i) {
    skua_result *result = NULL;
    MUST(skua_connection_execute(connection, "INSERT INTO t VALUES (1)", NULL, &options, &result, &error));
    REQUIRE(skua_result_summary(result)->changes == 1);
    skua_result_free(result);
  }
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 1);
  options.idempotency_key = "k";
  options.idempotency_key_size = SKUA_NUL_TERMINATED;
  MUST(skua_connection_execute(connection, "INSERT INTO t VALUES (1)", NULL, &options, NULL, &error));
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 2);
  skua_connection_free(connection);
}
