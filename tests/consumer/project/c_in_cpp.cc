#include <skua.h>

#include <cstdio>

int main() {
  skua_connection* connection = nullptr;
  skua_error* error = nullptr;
  if (skua_connect(nullptr, &connection, &error) != SKUA_OK) {
    std::fprintf(stderr, "%s\n", skua_error_message(error));
    return 1;
  }
  std::printf("from C in C++, version %s\n", skua_version());
  skua_connection_free(connection);
}
