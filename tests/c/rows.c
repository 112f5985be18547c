#include "tests/c/scenario.h"

static skua_rows *new_rows(size_t column_count, const char *const *names) {
  skua_rows *rows = NULL;
  MUST(skua_rows_new(column_count, names, &rows, &error));
  return rows;
}

static int64_t changes_of(skua_connection *connection, const char *sql, const skua_rows *rows) {
  skua_result *result = NULL;
  int64_t changes;
  MUST(skua_connection_execute_many(connection, sql, rows, NULL, &result, &error));
  REQUIRE(skua_result_row_count(result) == 0 && skua_result_column_count(result) == 0);
  changes = (int64_t)skua_result_summary(result)->changes;
  skua_result_free(result);
  return changes;
}

void rows_one_by_one_and_by_column(const struct world *world) {
  static const char *const names[] = {"id", "v"};
  skua_connection *connection = connect_to(world);
  skua_rows *rows = new_rows(2, names);
  const skua_column *columns[2];
  skua_column typed;
  skua_stream *stream = NULL;
  skua_batch *batch = NULL;
  static const uint32_t ends[] = {3, 3, 5};
  static const uint8_t nulls[] = {2};
  run_sql(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
  skua_rows_append_int64(rows, 1);
  skua_rows_append_text(rows, "one", SKUA_NUL_TERMINATED);
  skua_rows_end_row(rows);
  skua_rows_append_int64(rows, 2);
  skua_rows_append_blob(rows, "\0\1", 2);
  skua_rows_end_row(rows);
  skua_rows_append_int64(rows, 3);
  skua_rows_append_double(rows, 0.5);
  skua_rows_end_row(rows);
  skua_rows_append_int64(rows, 4);
  skua_rows_append_null(rows);
  REQUIRE(skua_rows_end_row(rows) == SKUA_OK);
  REQUIRE(skua_rows_count(rows) == 4 && skua_rows_byte_count(rows) > 30);
  REQUIRE(changes_of(connection, "INSERT INTO t VALUES (:id, :v)", rows) == 4);
  REQUIRE(integer_of(connection, "SELECT group_concat(id || typeof(v)) = '1text,2blob,3real,4null' FROM t") == 1);
  skua_rows_free(rows);

  /* What comes from a stream goes back as it is: here a mixed column. */
  rows = new_rows(2, NULL);
  MUST(skua_connection_stream(connection, "SELECT id + 10, v FROM t ORDER BY id", NULL, NULL, &stream, &error));
  MUST(skua_stream_next_batch(stream, &batch, &error));
  columns[0] = skua_batch_column(batch, 0);
  columns[1] = skua_batch_column(batch, 1);
  REQUIRE(columns[1]->layout == SKUA_LAYOUT_MIXED);
  REQUIRE(skua_rows_append_columns(rows, columns, 2) == SKUA_OK);
  skua_batch_free(batch);
  skua_stream_free(stream);
  REQUIRE(changes_of(connection, "INSERT INTO t VALUES (?, ?)", rows) == 4);
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t a JOIN t b ON b.id = a.id + 10 AND a.v IS b.v") == 4);

  /* Columns of the caller's own, appended behind another row. */
  skua_rows_clear(rows);
  skua_rows_append_int64(rows, 20);
  skua_rows_append_int64(rows, 20);
  skua_rows_end_row(rows);
  memset(&typed, 0, sizeof(typed));
  typed.layout = SKUA_LAYOUT_TEXTS;
  typed.row_count = 3;
  typed.nulls = nulls;
  typed.ends = ends;
  typed.bytes = "onexy";
  typed.bytes_size = 5;
  {
    static const int64_t ids[] = {21, 22, 23};
    skua_column integers;
    memset(&integers, 0, sizeof(integers));
    integers.layout = SKUA_LAYOUT_INTEGERS;
    integers.row_count = 3;
    integers.integers = ids;
    columns[0] = &integers;
    columns[1] = &typed;
    REQUIRE(skua_rows_append_columns(rows, columns, 2) == SKUA_OK && skua_rows_count(rows) == 4);
  }
  REQUIRE(changes_of(connection, "INSERT INTO t VALUES (?, ?)", rows) == 4);
  REQUIRE(integer_of(connection, "SELECT group_concat(id || ifnull(v, '~')) = '2020,21one,22~,23xy' FROM t "
                                 "WHERE id BETWEEN 20 AND 23") == 1);
  skua_rows_free(rows);
  skua_connection_free(connection);
}

static void mistake_in_columns(const skua_column *column) {
  skua_rows *rows = new_rows(1, NULL);
  REQUIRE(skua_rows_append_columns(rows, &column, 1) == SKUA_USAGE && skua_rows_count(rows) == 0);
  skua_rows_free(rows);
}

static void columns_that_contradict_themselves(void) {
  static const uint32_t falling[] = {3, 2}, far[] = {3, 9};
  static const uint8_t kinds[] = {SKUA_INTEGER, 9}, texts[] = {SKUA_TEXT, SKUA_TEXT};
  static const uint64_t words[] = {1, ((uint64_t)4 << 32) | 4};
  skua_column column;
  memset(&column, 0, sizeof(column));
  column.row_count = 2;
  column.layout = SKUA_LAYOUT_INTEGERS;
  mistake_in_columns(&column);
  column.layout = SKUA_LAYOUT_REALS;
  mistake_in_columns(&column);
  column.layout = SKUA_LAYOUT_MIXED;
  mistake_in_columns(&column);
  column.kinds = kinds;
  column.words = words;
  mistake_in_columns(&column);
  column.kinds = texts;
  column.bytes = "12345";
  column.bytes_size = 5;
  mistake_in_columns(&column);
  column.layout = SKUA_LAYOUT_TEXTS;
  mistake_in_columns(&column);
  column.ends = falling;
  mistake_in_columns(&column);
  column.ends = far;
  mistake_in_columns(&column);
  column.layout = (skua_layout)6;
  mistake_in_columns(&column);
  mistake_in_columns(NULL);
}

void rows_that_fail(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_request_options options = SKUA_REQUEST_OPTIONS_INIT;
  skua_rows *rows = NULL;
  skua_error *reason = NULL;
  int64_t i;
  run_sql(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
  rows = new_rows(1, NULL);
  for (i = 0; i < 10; ++i) {
    skua_rows_append_int64(rows, i == 7 ? 3 : i);
    skua_rows_end_row(rows);
  }
  REQUIRE(skua_connection_execute_many(connection, "INSERT INTO t VALUES (?)", rows, NULL, NULL, &reason) ==
          SKUA_CONSTRAINT);
  REQUIRE(skua_error_row(reason) == 7);
  skua_error_free(reason);
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 0);

  options.independent_rows = 1;
  REQUIRE(skua_connection_execute_many(connection, "INSERT INTO t VALUES (?)", rows, &options, NULL, &reason) ==
          SKUA_CONSTRAINT);
  REQUIRE(skua_error_row(reason) == 7);
  skua_error_free(reason);
  REQUIRE(integer_of(connection, "SELECT count(*) FROM t") == 7);
  skua_rows_free(rows);

  columns_that_contradict_themselves();
  rows = new_rows(2, NULL);
  skua_rows_append_int64(rows, 1);
  MUST_FAIL(SKUA_USAGE, skua_connection_execute_many(connection, "INSERT INTO t VALUES (?)", rows, NULL, NULL, &error));
  REQUIRE(skua_rows_end_row(rows) == SKUA_USAGE);
  /* The mistake is remembered until the rows are cleared. */
  REQUIRE(skua_rows_append_int64(rows, 1) == SKUA_USAGE);
  MUST_FAIL(SKUA_USAGE, skua_connection_execute_many(connection, "INSERT INTO t VALUES (?)", rows, NULL, NULL, &error));
  skua_rows_clear(rows);
  for (i = 0; i < 2; ++i) REQUIRE(skua_rows_append_int64(rows, 1) == SKUA_OK);
  REQUIRE(skua_rows_append_int64(rows, 1) == SKUA_USAGE);
  skua_rows_clear(rows);
  REQUIRE(skua_rows_append_text(rows, NULL, 1) == SKUA_USAGE);
  skua_rows_clear(rows);
  REQUIRE(skua_rows_append_blob(rows, "", (size_t)64 * 1024 * 1024 + 1) == SKUA_LIMIT);
  MUST_FAIL(SKUA_LIMIT, skua_connection_execute_many(connection, "INSERT INTO t VALUES (?)", rows, NULL, NULL, &error));
  skua_rows_free(rows);
  MUST_FAIL(SKUA_LIMIT, skua_rows_new(32767, NULL, &rows, &error));
  REQUIRE(rows == NULL);
  skua_connection_free(connection);
}
