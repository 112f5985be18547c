#include "tests/c/scenario.h"

/* Of each kind a column with a NULL in every row that 3 divides, one of NULLs, and one of all kinds in turn. */
#define LAYOUTS                                                                                                       \
  "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19) "                                     \
  "SELECT i - 10 AS plain, iif(i % 3 = 0, NULL, i * 1000000007) AS number, iif(i % 3 = 0, NULL, i * 0.5) AS fraction, " \
  "iif(i % 3 = 0, NULL, 't' || char(0) || i) AS words, iif(i % 3 = 0, NULL, zeroblob(i)) AS bytes, NULL AS none, " \
  "CASE i % 5 WHEN 0 THEN i WHEN 1 THEN i * 0.25 WHEN 2 THEN 'x' || i WHEN 3 THEN zeroblob(i) END AS mixed FROM n"
#define ROWS 20

static int is_null(const skua_column *column, size_t row) {
  return column->nulls != NULL && (column->nulls[row / 8] >> (row % 8) & 1) != 0;
}

/* The columns read in place, without a function of the library. */
static void check_in_place(const skua_batch *batch) {
  const skua_column *plain = skua_batch_column(batch, 0), *number = skua_batch_column(batch, 1);
  const skua_column *fraction = skua_batch_column(batch, 2), *words = skua_batch_column(batch, 3);
  const skua_column *bytes = skua_batch_column(batch, 4), *nothing = skua_batch_column(batch, 5);
  size_t row;
  REQUIRE(plain->layout == SKUA_LAYOUT_INTEGERS && plain->nulls == NULL && plain->row_count == ROWS);
  REQUIRE(number->layout == SKUA_LAYOUT_INTEGERS && number->nulls != NULL && number->reals == NULL);
  REQUIRE(fraction->layout == SKUA_LAYOUT_REALS && fraction->integers == NULL);
  REQUIRE(words->layout == SKUA_LAYOUT_TEXTS && bytes->layout == SKUA_LAYOUT_BLOBS);
  REQUIRE(nothing->layout == SKUA_LAYOUT_NULLS && nothing->row_count == ROWS);
  for (row = 0; row < ROWS; ++row) {
    const uint32_t begin = row == 0 ? 0 : words->ends[row - 1], size = words->ends[row] - begin;
    const uint32_t blob_size = bytes->ends[row] - (row == 0 ? 0 : bytes->ends[row - 1]);
    const int null = row % 3 == 0;
    char expected[20];
    REQUIRE(plain->integers[row] == (int64_t)row - 10);
    REQUIRE(is_null(number, row) == null && number->integers[row] == (null ? 0 : (int64_t)row * 1000000007));
    REQUIRE(is_null(fraction, row) == null && fraction->reals[row] == (null ? 0 : (double)row * 0.5));
    REQUIRE(is_null(words, row) == null && is_null(bytes, row) == null);
    sprintf(expected, "t%c%d", 0, (int)row);
    REQUIRE(size == (null ? 0u : row < 10 ? 3u : 4u) && memcmp(words->bytes + begin, expected, size) == 0);
    REQUIRE(blob_size == (null ? 0 : row));
  }
  REQUIRE(words->bytes_size == words->ends[ROWS - 1]);
}

static void check_mixed_in_place(const skua_column *column) {
  size_t row;
  REQUIRE(column->layout == SKUA_LAYOUT_MIXED && column->row_count == ROWS);
  for (row = 0; row < ROWS; ++row) {
    const uint64_t word = column->words[row];
    double real;
    memcpy(&real, &word, sizeof(real));
    switch (row % 5) {
      case 0: REQUIRE(column->kinds[row] == SKUA_INTEGER && word == row); break;
      case 1: REQUIRE(column->kinds[row] == SKUA_REAL && real == (double)row * 0.25); break;
      case 2:
        REQUIRE(column->kinds[row] == SKUA_TEXT && (word >> 32) + (word & 0xffffffffu) <= column->bytes_size);
        REQUIRE(column->bytes[word >> 32] == 'x');
        break;
      case 3: REQUIRE(column->kinds[row] == SKUA_BLOB && (word & 0xffffffffu) == row); break;
      default: REQUIRE(column->kinds[row] == SKUA_NULL);
    }
  }
}

static void check_by_cell(const skua_batch *batch) {
  static const skua_kind mixed[] = {SKUA_INTEGER, SKUA_REAL, SKUA_TEXT, SKUA_BLOB, SKUA_NULL};
  size_t row;
  skua_value value;
  for (row = 0; row < ROWS; ++row) {
    const skua_kind null = SKUA_NULL;
    const int is = row % 3 == 0;
    REQUIRE(skua_batch_value(batch, row, 0, &value) == SKUA_OK && value.integer == (int64_t)row - 10);
    REQUIRE(skua_batch_value(batch, row, 1, &value) == SKUA_OK && value.kind == (is ? null : SKUA_INTEGER));
    REQUIRE(skua_batch_value(batch, row, 2, &value) == SKUA_OK && value.kind == (is ? null : SKUA_REAL));
    REQUIRE(value.real == (is ? 0 : (double)row * 0.5));
    REQUIRE(skua_batch_value(batch, row, 3, &value) == SKUA_OK && value.kind == (is ? null : SKUA_TEXT));
    REQUIRE(is || (value.bytes[0] == 't' && value.bytes[1] == '\0' && value.size == (row < 10 ? 3 : 4)));
    REQUIRE(skua_batch_value(batch, row, 4, &value) == SKUA_OK && value.kind == (is ? null : SKUA_BLOB));
    REQUIRE(skua_batch_value(batch, row, 5, &value) == SKUA_OK && value.kind == SKUA_NULL);
    REQUIRE(skua_batch_value(batch, row, 6, &value) == SKUA_OK && value.kind == mixed[row % 5]);
    REQUIRE(row % 5 != 2 || (value.bytes[0] == 'x' && (size_t)(value.bytes[1] - '0') == (row < 10 ? row : 1)));
    REQUIRE(row % 5 != 1 || value.real == (double)row * 0.25);
  }
  REQUIRE(skua_batch_value(batch, ROWS, 0, &value) == SKUA_USAGE && value.kind == SKUA_NULL);
  REQUIRE(skua_batch_value(batch, 0, 7, &value) == SKUA_USAGE);
  REQUIRE(skua_batch_column(batch, 7) == NULL);
}

void columns_of_every_layout(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_stream *stream = NULL;
  skua_result *result = NULL;
  skua_batch *batch = NULL;
  MUST(skua_connection_stream(connection, LAYOUTS, NULL, NULL, &stream, &error));
  REQUIRE(skua_stream_column_count(stream) == 7 && strcmp(skua_stream_column_name(stream, 3), "words") == 0);
  REQUIRE(skua_stream_find_column(stream, "Mixed") == 6 && strcmp(skua_stream_declared_type(stream, 0), "") == 0);
  MUST(skua_stream_next_batch(stream, &batch, &error));
  REQUIRE(skua_batch_row_count(batch) == ROWS && skua_batch_column_count(batch) == 7);
  check_in_place(batch);
  check_mixed_in_place(skua_batch_column(batch, 6));
  check_by_cell(batch);
  skua_batch_free(batch);
  skua_stream_free(stream);

  /* The same rows as a result's batch. */
  MUST(skua_connection_execute(connection, LAYOUTS, NULL, NULL, &result, &error));
  REQUIRE(skua_result_batch_count(result) == 1);
  MUST(skua_result_batch(result, 0, &batch, &error));
  skua_result_free(result);
  check_in_place(batch);
  check_by_cell(batch);
  skua_batch_free(batch);
  skua_connection_free(connection);
}

void a_stream_gives_every_row_once(const struct world *world) {
  const int64_t count = 200000;
  skua_connection *connection = connect_to(world);
  skua_request_options options = SKUA_REQUEST_OPTIONS_INIT;
  skua_stream *stream = NULL;
  skua_parameters *parameters = skua_parameters_new();
  int64_t next = 1;
  size_t batch_count = 0;
  options.window_bytes = 100000;
  skua_parameters_bind_int64(parameters, "count", count);
  MUST(skua_connection_stream(connection,
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) "
                              "SELECT i, 'row ' || i FROM n",
                              parameters, &options, &stream, &error));
  skua_parameters_free(parameters);
  for (;; ++batch_count) {
    skua_batch *batch = NULL;
    const skua_column *numbers;
    size_t row;
    REQUIRE(skua_stream_summary(stream) == NULL);
    MUST(skua_stream_next_batch(stream, &batch, &error));
    if (batch == NULL) break;
    numbers = skua_batch_column(batch, 0);
    for (row = 0; row < numbers->row_count; ++row) REQUIRE(numbers->integers[row] == next++);
    skua_batch_free(batch);
    /* The connection is free for others meanwhile. */
    if (batch_count == 3) REQUIRE(integer_of(connection, "SELECT 42") == 42);
  }
  REQUIRE(next == count + 1 && batch_count > 10);
  REQUIRE(skua_stream_summary(stream)->row_count == (uint64_t)count);
  skua_stream_free(stream);
  skua_connection_free(connection);
}

void a_batch_outlives_its_stream_and_connection(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_stream *stream = NULL;
  skua_batch *batch = NULL;
  skua_value value;
  MUST(skua_connection_stream(connection, "SELECT 'still here' UNION ALL SELECT 'and here'", NULL, NULL, &stream, &error));
  skua_connection_free(connection);
  MUST(skua_stream_next_batch(stream, &batch, &error));
  skua_stream_free(stream);
  REQUIRE(skua_batch_value(batch, 1, 0, &value) == SKUA_OK && value.size == 8);
  REQUIRE(memcmp(value.bytes, "and here", 8) == 0);
  skua_batch_free(batch);
}
