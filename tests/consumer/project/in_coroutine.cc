#include <skua/engine.h>

#include <cstdio>
#include <string>

namespace {

skua::Task<skua::Status> greet(skua::Engine& engine) {
  SKUA_CO_ASSIGN(const auto text, co_await engine.scalar<std::string>("SELECT 'from a ' || ?",
                                                                      skua::Parameters::of("coroutine")));
  std::printf("%s\n", text.c_str());
  co_return {};
}

}  // namespace

int main() {
  skua::Engine engine;
  const skua::Status status = engine.run_task(greet(engine));
  if (!status) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
