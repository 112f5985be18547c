#include <skua/client.h>

#include <cstdio>
#include <string>

namespace {

skua::Status run() {
  SKUA_ASSIGN(skua::Connection connection, skua::Connection::connect());
  SKUA_ASSIGN(const skua::ResultSet rows, connection.execute("SELECT ? || ?", skua::Parameters::of("from ", "C++")));
  SKUA_ASSIGN(const skua::Value text, rows.scalar());
  std::printf("%s\n", std::get<std::string>(text).c_str());
  return {};
}

}  // namespace

int main() {
  const skua::Status status = run();
  if (!status) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
