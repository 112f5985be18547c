#include <inttypes.h>
#include <skua.h>
#include <stdio.h>

/* Says what went wrong, and frees the error. */
static int failed(const char *what, skua_error *error) {
  fprintf(stderr, "%s: %s: %s\n", what, skua_code_name(skua_error_code(error)), skua_error_message(error));
  skua_error_free(error);
  return 1;
}

/* A customer's order of two of an item, or nothing of it. */
static skua_code sell(skua_connection *connection, int64_t customer, const char *item, skua_error **error) {
  skua_transaction *transaction = NULL;
  skua_parameters *order = skua_parameters_new();
  skua_code code = skua_connection_begin(connection, SKUA_TRANSACTION_WRITE, NULL, &transaction, error);
  if (code == SKUA_OK) {
    /* A mistake in these two is what execute reports. */
    skua_parameters_bind_int64(order, "customer", customer);
    skua_parameters_bind_text(order, "item", item, SKUA_NUL_TERMINATED);
    code = skua_transaction_execute(transaction,
                                    "INSERT INTO sale (customer, item, quantity) VALUES (:customer, :item, 2)", order,
                                    NULL, NULL, error);
  }
  if (code == SKUA_OK) code = skua_transaction_commit(transaction, NULL, error);
  skua_transaction_free(transaction); /* rolls back what was not committed */
  skua_parameters_free(order);
  return code;
}

/* A result of any size, a batch at a time, read where it was received. */
static skua_code print_total(skua_connection *connection, skua_error **error) {
  skua_stream *stream = NULL;
  skua_batch *batch = NULL;
  int64_t total = 0;
  size_t row;
  skua_code code = skua_connection_stream(connection, "SELECT item, quantity FROM sale ORDER BY id", NULL, NULL, &stream,
                                          error);
  while (code == SKUA_OK && (code = skua_stream_next_batch(stream, &batch, error)) == SKUA_OK && batch != NULL) {
    const skua_column *quantity = skua_batch_column(batch, 1);
    if (quantity->layout == SKUA_LAYOUT_INTEGERS) { /* NULLs are 0 in it */
      for (row = 0; row < quantity->row_count; ++row) total += quantity->integers[row];
    }
    for (row = 0; row < skua_batch_row_count(batch); ++row) {
      skua_value item;
      skua_batch_value(batch, row, 0, &item);
      if (item.kind == SKUA_TEXT) printf("%.*s\n", (int)item.size, item.bytes);
    }
    skua_batch_free(batch);
  }
  skua_stream_free(stream);
  if (code == SKUA_OK) printf("%" PRId64 " sold\n", total);
  return code;
}

int main(void) {
  skua_connection *connection = NULL;
  skua_error *error = NULL;
  int status = 0;
  if (skua_connect(NULL, &connection, &error) != SKUA_OK) return failed("connect", error); /* $SKUA_SOCKET */
  if (skua_connection_execute(connection,
                              "CREATE TABLE IF NOT EXISTS sale (id INTEGER PRIMARY KEY, customer INTEGER, "
                              "item TEXT CHECK (item <> ''), quantity INTEGER)",
                              NULL, NULL, NULL, &error) != SKUA_OK) {
    status = failed("create", error);
  } else if (sell(connection, 1, "Milk", &error) != SKUA_OK || sell(connection, 2, "Bread", &error) != SKUA_OK) {
    status = failed("sell", error);
  } else if (print_total(connection, &error) != SKUA_OK) {
    status = failed("print", error);
  }
  skua_connection_free(connection);
  return status;
}
