#include "tests/c/scenario.h"

static const struct {
  const char *name;
  void (*run)(const struct world *world);
} scenarios[] = {
#define SCENARIO(name) {#name, name}
    SCENARIO(values_come_back_exactly),
    SCENARIO(parameters_by_name),
    SCENARIO(a_result_has_names_types_and_a_summary),
    SCENARIO(columns_of_every_layout),
    SCENARIO(a_stream_gives_every_row_once),
    SCENARIO(a_batch_outlives_its_stream_and_connection),
    SCENARIO(rows_one_by_one_and_by_column),
    SCENARIO(rows_that_fail),
    SCENARIO(a_transaction_commits_or_rolls_back),
    SCENARIO(savepoints),
    SCENARIO(a_group_sees_one_state),
    SCENARIO(a_constraint_says_what_it_is),
    SCENARIO(wrong_sql_says_where),
    SCENARIO(a_deadline_passes),
    SCENARIO(nobody_answers),
    SCENARIO(the_daemon_is_killed),
    SCENARIO(a_key_is_not_executed_twice),
    SCENARIO(cancel_from_another_thread),
    SCENARIO(cancel_from_a_signal_handler),
    SCENARIO(a_cancelled_stream),
    SCENARIO(misuse_is_an_error),
    SCENARIO(options_of_another_version),
    SCENARIO(mistakes_in_parameters_are_remembered),
};

skua_connection *connect_to(const struct world *world) {
  skua_connect_options options = SKUA_CONNECT_OPTIONS_INIT;
  skua_connection *connection = NULL;
  options.socket_path = world->socket_path;
  options.client_name = "c_scenarios";
  MUST(skua_connect(&options, &connection, &error));
  REQUIRE(connection != NULL && skua_connection_is_open(connection));
  return connection;
}

void run_sql(skua_connection *connection, const char *sql) {
  MUST(skua_connection_execute(connection, sql, NULL, NULL, NULL, &error));
}

int64_t integer_of(skua_connection *connection, const char *sql) {
  skua_result *result = NULL;
  skua_value value;
  MUST(skua_connection_execute(connection, sql, NULL, NULL, &result, &error));
  REQUIRE(skua_result_row_count(result) == 1 && skua_result_column_count(result) == 1);
  REQUIRE(skua_result_value(result, 0, 0, &value) == SKUA_OK && value.kind == SKUA_INTEGER);
  skua_result_free(result);
  return value.integer;
}

/* c_scenarios NAME SOCKET DAEMON_PID, or c_scenarios alone for the names. */
int main(int argument_count, char **arguments) {
  const size_t count = sizeof(scenarios) / sizeof(scenarios[0]);
  struct world world;
  size_t i;
  if (argument_count == 1) {
    for (i = 0; i < count; ++i) puts(scenarios[i].name);
    return 0;
  }
  if (argument_count != 4) return 2;
  world.socket_path = arguments[2];
  world.daemon_pid = strtol(arguments[3], NULL, 10);
  for (i = 0; i < count; ++i) {
    if (strcmp(scenarios[i].name, arguments[1]) != 0) continue;
    scenarios[i].run(&world);
    return 0;
  }
  fprintf(stderr, "there is no scenario %s\n", arguments[1]);
  return 2;
}
