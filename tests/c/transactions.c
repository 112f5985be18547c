#include "tests/c/scenario.h"

static skua_transaction *begin(skua_connection *connection, skua_transaction_mode mode) {
  skua_transaction *transaction = NULL;
  MUST(skua_connection_begin(connection, mode, NULL, &transaction, &error));
  REQUIRE(skua_transaction_is_open(transaction));
  return transaction;
}

static void insert(skua_transaction *transaction, int64_t value) {
  skua_parameters *parameters = skua_parameters_new();
  skua_parameters_bind_int64(parameters, NULL, value);
  MUST(skua_transaction_execute(transaction, "INSERT INTO t VALUES (?)", parameters, NULL, NULL, &error));
  skua_parameters_free(parameters);
}

static int64_t count_in(skua_transaction *transaction) {
  skua_result *result = NULL;
  skua_value value;
  MUST(skua_transaction_execute(transaction, "SELECT count(*) FROM t", NULL, NULL, &result, &error));
  REQUIRE(skua_result_value(result, 0, 0, &value) == SKUA_OK);
  skua_result_free(result);
  return value.integer;
}

void a_transaction_commits_or_rolls_back(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_transaction *transaction;
  skua_rows *rows = NULL;
  skua_stream *stream = NULL;
  skua_batch *batch = NULL;
  run_sql(connection, "CREATE TABLE t (v UNIQUE)");

  transaction = begin(connection, SKUA_TRANSACTION_WRITE);
  insert(transaction, 1);
  MUST(skua_rows_new(1, NULL, &rows, &error));
  skua_rows_append_int64(rows, 2);
  skua_rows_end_row(rows);
  MUST(skua_transaction_execute_many(transaction, "INSERT INTO t VALUES (?)", rows, NULL, NULL, &error));
  skua_rows_free(rows);
  /* A failed statement undoes itself; the transaction goes on. */
  MUST_FAIL(SKUA_CONSTRAINT, skua_transaction_execute(transaction, "INSERT INTO t VALUES (3), (1)", NULL, NULL, NULL, &error));
  MUST(skua_transaction_stream(transaction, "SELECT v FROM t ORDER BY v", NULL, NULL, &stream, &error));
  MUST(skua_stream_next_batch(stream, &batch, &error));
  REQUIRE(skua_batch_row_count(batch) == 2 && skua_batch_column(batch, 0)->integers[1] == 2);
  skua_batch_free(batch);
  skua_stream_free(stream);
  MUST(skua_transaction_commit(transaction, NULL, &error));
  REQUIRE(!skua_transaction_is_open(transaction));
  MUST_FAIL(SKUA_USAGE, skua_transaction_execute(transaction, "SELECT 1", NULL, NULL, NULL, &error));
  MUST_FAIL(SKUA_USAGE, skua_transaction_commit(transaction, NULL, &error));
  skua_transaction_free(transaction);
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 2);

  transaction = begin(connection, SKUA_TRANSACTION_WRITE);
  insert(transaction, 10);
  REQUIRE(count_in(transaction) == 3);
  MUST(skua_transaction_rollback(transaction, &error));
  skua_transaction_free(transaction);
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 2);

  /* Freed without a word. */
  transaction = begin(connection, SKUA_TRANSACTION_WRITE);
  insert(transaction, 10);
  skua_transaction_free(transaction);
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 2);

  transaction = begin(connection, SKUA_TRANSACTION_READ);
  MUST_FAIL(SKUA_READ_ONLY, skua_transaction_execute(transaction, "DELETE FROM t", NULL, NULL, NULL, &error));
  /* A transaction outlives the connection's handle. */
  skua_connection_free(connection);
  REQUIRE(count_in(transaction) == 2);
  skua_transaction_free(transaction);
}

void savepoints(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_transaction *transaction;
  run_sql(connection, "CREATE TABLE t (v)");
  transaction = begin(connection, SKUA_TRANSACTION_WRITE);
  MUST(skua_transaction_savepoint(transaction, "first", &error));
  insert(transaction, 1);
  MUST(skua_transaction_release(transaction, "first", &error));
  MUST(skua_transaction_savepoint(transaction, "second", &error));
  insert(transaction, 2);
  MUST(skua_transaction_rollback_to(transaction, "second", &error));
  MUST(skua_transaction_release(transaction, "second", &error));
  MUST_FAIL(SKUA_TRANSACTION_STATE, skua_transaction_release(transaction, "second", &error));
  MUST(skua_transaction_commit(transaction, NULL, &error));
  skua_transaction_free(transaction);
  REQUIRE(integer_of(connection, "SELECT sum(v) FROM t") == 1);
  skua_connection_free(connection);
}

void a_group_sees_one_state(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_transaction *group[3];
  size_t i;
  run_sql(connection, "CREATE TABLE t (v)");
  run_sql(connection, "INSERT INTO t VALUES (1)");
  MUST(skua_connection_begin_group(connection, 3, NULL, group, &error));
  run_sql(connection, "INSERT INTO t VALUES (2)");
  for (i = 0; i < 3; ++i) {
    REQUIRE(count_in(group[i]) == 1);
    MUST(skua_transaction_rollback(group[i], &error));
    skua_transaction_free(group[i]);
  }
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 2);
  MUST_FAIL(SKUA_USAGE, skua_connection_begin_group(connection, 0, NULL, group, &error));
  {
    skua_transaction *too_many[65];
    MUST_FAIL(SKUA_LIMIT, skua_connection_begin_group(connection, 65, NULL, too_many, &error));
    for (i = 0; i < 65; ++i) REQUIRE(too_many[i] == NULL);
  }
  skua_connection_free(connection);
}
