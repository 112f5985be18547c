// The vocabulary of the scenarios: what must hold, and what must succeed. A scenario that meets something else ends the
// program with status 1 and says where. One thread.
#pragma once

#include <skua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                                      \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition);       \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

/* A call whose last argument is &error, a variable of that name. */
#define MUST(call)                                                                              \
  do {                                                                                          \
    skua_error *error = NULL;                                                                   \
    const skua_code code = (call);                                                              \
    if (code != SKUA_OK || error != NULL) {                                                     \
      fprintf(stderr, "%s:%d: %s failed: %d %s: %s\n", __FILE__, __LINE__, #call, (int)code,    \
              skua_code_name(code), skua_error_message(error));                                 \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

/* A call that must fail with this code, in its result and in its error object, which is freed. */
#define MUST_FAIL(expected, call)                                                               \
  do {                                                                                          \
    skua_error *error = NULL;                                                                   \
    const skua_code code = (call);                                                              \
    if (code != (expected) || skua_error_code(error) != code) {                                 \
      fprintf(stderr, "%s:%d: %s gave %d %s, not %s: %s\n", __FILE__, __LINE__, #call,          \
              (int)code, skua_code_name(code), #expected, skua_error_message(error));           \
      exit(1);                                                                                  \
    }                                                                                           \
    REQUIRE(*skua_error_message(error) != '\0');                                                \
    skua_error_free(error);                                                                     \
  } while (0)

/* Runs until it is stopped, without giving a row. */
#define FOREVER "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

/* Gives 1, 2, 3, ... until it is stopped. A SELECT, so that it is known to have written nothing when its answer is lost. */
#define ENDLESS_ROWS \
  "SELECT i FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)"

/* What the command line gave. */
struct world {
  const char *socket_path;
  long daemon_pid;
};

skua_connection *connect_to(const struct world *world);
/* Executes what must succeed. */
void run_sql(skua_connection *connection, const char *sql);
/* The integer that is a statement's only value. */
int64_t integer_of(skua_connection *connection, const char *sql);

void values_come_back_exactly(const struct world *world);
void parameters_by_name(const struct world *world);
void a_result_has_names_types_and_a_summary(const struct world *world);
void columns_of_every_layout(const struct world *world);
void a_stream_gives_every_row_once(const struct world *world);
void a_batch_outlives_its_stream_and_connection(const struct world *world);
void rows_one_by_one_and_by_column(const struct world *world);
void rows_that_fail(const struct world *world);
void a_transaction_commits_or_rolls_back(const struct world *world);
void savepoints(const struct world *world);
void a_group_sees_one_state(const struct world *world);
void a_constraint_says_what_it_is(const struct world *world);
void wrong_sql_says_where(const struct world *world);
void a_deadline_passes(const struct world *world);
void nobody_answers(const struct world *world);
void the_daemon_is_killed(const struct world *world);
void a_key_is_not_executed_twice(const struct world *world);
void cancel_from_another_thread(const struct world *world);
void cancel_from_a_signal_handler(const struct world *world);
void a_cancelled_stream(const struct world *world);
void misuse_is_an_error(const struct world *world);
void options_of_another_version(const struct world *world);
void mistakes_in_parameters_are_remembered(const struct world *world);
