#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "tests/c/scenario.h"

/* Rings until it is told that the request is over: the first rings may come before it has begun, and then do not count. */
struct ringer {
  pthread_t thread;
  pthread_mutex_t mutex;
  int is_over;
  const skua_canceller *canceller;
};

static void *ring(void *argument) {
  struct ringer *ringer = argument;
  const struct timespec pause = {0, 5000000};
  for (;;) {
    int is_over;
    skua_cancel(ringer->canceller);
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&ringer->mutex);
    is_over = ringer->is_over;
    pthread_mutex_unlock(&ringer->mutex);
    if (is_over) return NULL;
  }
}

static void start_ringing(struct ringer *ringer, const skua_canceller *canceller) {
  pthread_mutex_init(&ringer->mutex, NULL);
  ringer->is_over = 0;
  ringer->canceller = canceller;
  REQUIRE(pthread_create(&ringer->thread, NULL, ring, ringer) == 0);
}

static void stop_ringing(struct ringer *ringer) {
  pthread_mutex_lock(&ringer->mutex);
  ringer->is_over = 1;
  pthread_mutex_unlock(&ringer->mutex);
  REQUIRE(pthread_join(ringer->thread, NULL) == 0);
  pthread_mutex_destroy(&ringer->mutex);
}

static skua_canceller *canceller_of(skua_connection *connection) {
  skua_canceller *canceller = NULL;
  MUST(skua_canceller_new(connection, &canceller, &error));
  return canceller;
}

void cancel_from_another_thread(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_canceller *canceller = canceller_of(connection);
  struct ringer ringer;
  start_ringing(&ringer, canceller);
  MUST_FAIL(SKUA_CANCELLED, skua_connection_execute(connection, FOREVER, NULL, NULL, NULL, &error));
  stop_ringing(&ringer);
  /* What starts later is not concerned, also by a ring while nothing ran. */
  skua_cancel(canceller);
  REQUIRE(integer_of(connection, "SELECT 1") == 1);
  skua_connection_free(connection);
  skua_cancel(canceller);
  skua_canceller_free(canceller);
}

static skua_canceller *signalled;

static void on_alarm(int number) {
  (void)number;
  skua_cancel(signalled);
}

void cancel_from_a_signal_handler(const struct world *world) {
  static const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
  skua_connection *connection = connect_to(world);
  struct sigaction action;
  signalled = canceller_of(connection);
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_alarm;
  REQUIRE(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
  MUST_FAIL(SKUA_CANCELLED, skua_connection_execute(connection, FOREVER, NULL, NULL, NULL, &error));
  /* A signal may be under way still. */
  action.sa_handler = SIG_IGN;
  REQUIRE(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &never, NULL) == 0);
  REQUIRE(integer_of(connection, "SELECT 1") == 1);
  skua_connection_free(connection);
  skua_canceller_free(signalled);
}

void a_cancelled_stream(const struct world *world) {
  skua_connection *connection = connect_to(world);
  skua_canceller *canceller = canceller_of(connection);
  skua_stream *stream = NULL;
  skua_batch *batch = NULL;
  skua_error *error = NULL;
  MUST(skua_connection_stream(connection, ENDLESS_ROWS, NULL, NULL, &stream, &error));
  skua_cancel(canceller);
  /* What had been sent before comes first. */
  while (skua_stream_next_batch(stream, &batch, &error) == SKUA_OK) {
    REQUIRE(batch != NULL);
    skua_batch_free(batch);
  }
  REQUIRE(skua_error_code(error) == SKUA_CANCELLED && batch == NULL);
  skua_error_free(error);
  skua_stream_free(stream);

  /* A stream that is freed before its end leaves nothing in the way. */
  MUST(skua_connection_stream(connection, ENDLESS_ROWS, NULL, NULL, &stream, &error));
  skua_stream_free(stream);
  REQUIRE(integer_of(connection, "SELECT 1") == 1);
  skua_canceller_free(canceller);
  skua_connection_free(connection);
}
