#include <skua.h>
#include <stdio.h>

int main(void) {
  skua_connection *connection = NULL;
  skua_result *result = NULL;
  skua_error *error = NULL;
  skua_value value = {SKUA_NULL, 0, 0, NULL, 0};
  if (skua_connect(NULL, &connection, &error) != SKUA_OK ||
      skua_connection_execute(connection, "SELECT 'from ' || 'C'", NULL, NULL, &result, &error) != SKUA_OK) {
    fprintf(stderr, "%s\n", skua_error_message(error));
    return 1;
  }
  skua_result_value(result, 0, 0, &value);
  printf("%.*s\n", (int)value.size, value.bytes);
  skua_result_free(result);
  skua_connection_free(connection);
  return 0;
}
