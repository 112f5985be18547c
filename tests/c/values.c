#include <math.h>

#include "tests/c/scenario.h"

/* SELECT of what was bound, with the list's failure if it has one. */
static skua_result *echo(skua_connection *connection, const char *sql, const skua_parameters *parameters) {
  skua_result *result = NULL;
  MUST(skua_connection_execute(connection, sql, parameters, NULL, &result, &error));
  return result;
}

static skua_value value_at(const skua_result *result, size_t row, size_t column) {
  skua_value value;
  REQUIRE(skua_result_value(result, row, column, &value) == SKUA_OK);
  return value;
}

static int is_bytes(const skua_value *value, skua_kind kind, const void *bytes, size_t size) {
  return value->kind == kind && value->size == size && (size == 0 || memcmp(value->bytes, bytes, size) == 0);
}

void values_come_back_exactly(const struct world *world) {
  static const char text[] = {'a', '\0', 'b', '\0'};
  static const unsigned char blob[] = {0, 0xff, 0, 0x80};
  const double reals[] = {0.1, -0.0, 5e-324, HUGE_VAL, -HUGE_VAL};
  skua_connection *connection = connect_to(world);
  skua_parameters *parameters = skua_parameters_new();
  skua_result *result;
  skua_value value;
  size_t i;

  skua_parameters_bind_int64(parameters, NULL, INT64_MIN);
  skua_parameters_bind_int64(parameters, NULL, INT64_MAX);
  skua_parameters_bind_null(parameters, NULL);
  skua_parameters_bind_text(parameters, NULL, text, sizeof(text));
  skua_parameters_bind_text(parameters, NULL, "gr\xc3\xbc\xc3\x9f", SKUA_NUL_TERMINATED);
  skua_parameters_bind_text(parameters, NULL, NULL, 0);
  skua_parameters_bind_blob(parameters, NULL, blob, sizeof(blob));
  skua_parameters_bind_blob(parameters, NULL, NULL, 0);
  result = echo(connection, "SELECT ?, ?, ?, ?, ?, ?, ?, ?", parameters);
  value = value_at(result, 0, 0);
  REQUIRE(value.kind == SKUA_INTEGER && value.integer == INT64_MIN);
  value = value_at(result, 0, 1);
  REQUIRE(value.kind == SKUA_INTEGER && value.integer == INT64_MAX);
  value = value_at(result, 0, 2);
  REQUIRE(value.kind == SKUA_NULL);
  value = value_at(result, 0, 3);
  REQUIRE(is_bytes(&value, SKUA_TEXT, text, sizeof(text)));
  value = value_at(result, 0, 4);
  REQUIRE(is_bytes(&value, SKUA_TEXT, "gr\xc3\xbc\xc3\x9f", 6));
  value = value_at(result, 0, 5);
  REQUIRE(is_bytes(&value, SKUA_TEXT, "", 0));
  value = value_at(result, 0, 6);
  REQUIRE(is_bytes(&value, SKUA_BLOB, blob, sizeof(blob)));
  value = value_at(result, 0, 7);
  REQUIRE(is_bytes(&value, SKUA_BLOB, "", 0));
  skua_result_free(result);

  for (i = 0; i < sizeof(reals) / sizeof(reals[0]); ++i) {
    skua_parameters_clear(parameters);
    skua_parameters_bind_double(parameters, NULL, reals[i]);
    result = echo(connection, "SELECT ?", parameters);
    value = value_at(result, 0, 0);
    REQUIRE(value.kind == SKUA_REAL && memcmp(&value.real, &reals[i], sizeof(double)) == 0);
    skua_result_free(result);
  }
  skua_parameters_free(parameters);
  skua_connection_free(connection);
}

void parameters_by_name(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_parameters *parameters = skua_parameters_new();
  skua_result *result;
  skua_value value;
  skua_parameters_bind_text(parameters, "what", "sum", SKUA_NUL_TERMINATED);
  skua_parameters_bind_int64(parameters, ":one", 1);
  skua_parameters_bind_double(parameters, "@half", 0.5);
  result = echo(connection, "SELECT :one + @half, $what, :one", parameters);
  value = value_at(result, 0, 0);
  REQUIRE(value.kind == SKUA_REAL && value.real == 1.5);
  value = value_at(result, 0, 1);
  REQUIRE(is_bytes(&value, SKUA_TEXT, "sum", 3));
  value = value_at(result, 0, 2);
  REQUIRE(value.integer == 1);
  skua_result_free(result);

  MUST_FAIL(SKUA_PARAMETER, skua_connection_execute(connection, "SELECT :one", parameters, NULL, NULL, &error));
  skua_parameters_free(parameters);
  skua_connection_free(connection);
}

void a_result_has_names_types_and_a_summary(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_result *result;
  const skua_summary *summary;
  skua_value value;
  run_sql(connection, "CREATE TABLE item (id INTEGER PRIMARY KEY, name VARCHAR(20), price)");
  result = echo(connection, "INSERT INTO item (name) VALUES ('Milk'), ('Bread') RETURNING id", NULL);
  summary = skua_result_summary(result);
  REQUIRE(summary->changes == 2 && summary->last_insert_rowid == 2 && summary->row_count == 2);
  REQUIRE(summary->transaction == SKUA_TRANSACTION_NONE);
  REQUIRE(value_at(result, 1, 0).integer == 2);
  skua_result_free(result);

  result = echo(connection, "SELECT id, name, price, 1 + 1 AS two FROM item ORDER BY id", NULL);
  REQUIRE(skua_result_row_count(result) == 2 && skua_result_column_count(result) == 4);
  REQUIRE(strcmp(skua_result_column_name(result, 1), "name") == 0);
  REQUIRE(strcmp(skua_result_declared_type(result, 1), "VARCHAR(20)") == 0);
  REQUIRE(strcmp(skua_result_declared_type(result, 2), "") == 0);
  REQUIRE(skua_result_find_column(result, "TWO") == 3 && skua_result_find_column(result, "three") == -1);
  REQUIRE(skua_result_column_name(result, 4) == NULL && skua_result_declared_type(result, 4) == NULL);
  REQUIRE(skua_result_value(result, 2, 0, &value) == SKUA_USAGE && value.kind == SKUA_NULL);
  REQUIRE(skua_result_value(result, 0, 4, &value) == SKUA_USAGE);
  skua_result_free(result);

  result = echo(connection, "SELECT id FROM item WHERE false", NULL);
  REQUIRE(skua_result_row_count(result) == 0 && skua_result_column_count(result) == 1);
  REQUIRE(skua_result_batch_count(result) == 0);
  skua_result_free(result);

  MUST(skua_connection_ping(connection, NULL, &error));
  REQUIRE(strcmp(skua_connection_server_version(connection), skua_version()) == 0);
  REQUIRE(strncmp(skua_connection_sqlite_version(connection), "3.", 2) == 0);
  REQUIRE(skua_connection_session_id(connection) > 0);
  skua_connection_free(connection);
}
