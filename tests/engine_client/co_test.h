// CoTest: a Criterion test with coroutines in it. gcc 12 gives the parts of a coroutine within an extern "C" function, which
// Criterion's Test is, one and the same name. One thread.
#pragma once

#include <criterion/criterion.h>

#define CoTest(suite, name)                 \
  static void suite##_##name##_body();      \
  Test(suite, name) { suite##_##name##_body(); } \
  static void suite##_##name##_body()
