#include "client/c/parameters.h"

#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "client/c/error.h"

namespace skua::c {
namespace {

skua_code fail(skua_parameters& parameters, skua_code code, const char* reason) {
  if (parameters.failure == SKUA_OK) {
    parameters.failure = code;
    parameters.reason = reason;
  }
  return parameters.failure;
}

template <class MakeValue>
skua_code bind(skua_parameters* parameters, const char* name, MakeValue&& make_value) noexcept {
  if (parameters == nullptr) return SKUA_USAGE;
  if (parameters->failure != SKUA_OK) return parameters->failure;
  if (name != nullptr && *name == '\0') return fail(*parameters, SKUA_USAGE, "the name of a parameter is empty");
  Parameters& list = parameters->list;
  if (!list.empty() && list.entries().front().name.empty() != (name == nullptr)) {
    return fail(*parameters, SKUA_USAGE, "some parameters have names and some have not");
  }
  try {
    if (name == nullptr) {
      list.add(make_value());
    } else {
      list.set(name, make_value());
    }
    return SKUA_OK;
  } catch (const std::exception&) {
    // Nothing else is thrown by what is done here: bad_alloc, and length_error for a size beyond all memory.
    return fail(*parameters, SKUA_NO_MEMORY, "out of memory");
  }
}

template <class MakeValue>
skua_code bind_bytes(skua_parameters* parameters, const char* name, const void* bytes, std::size_t size,
                     MakeValue&& make_value) noexcept {
  if (parameters != nullptr && bytes == nullptr && size != 0) {
    return fail(*parameters, SKUA_USAGE, "the bytes of a text or blob are NULL");
  }
  return bind(parameters, name, [&] { return make_value(std::string(static_cast<const char*>(bytes), size)); });
}

}  // namespace

Result<const Parameters*> parameters_of(const skua_parameters* parameters) {
  static const Parameters none;
  if (parameters == nullptr) return &none;
  if (parameters->failure == SKUA_NO_MEMORY) throw std::bad_alloc();
  if (parameters->failure != SKUA_OK) return usage(parameters->reason);
  return &parameters->list;
}

}  // namespace skua::c

using namespace skua::c;

skua_parameters* skua_parameters_new() { return new (std::nothrow) skua_parameters; }

skua_code skua_parameters_bind_null(skua_parameters* parameters, const char* name) {
  return bind(parameters, name, [] { return skua::Null{}; });
}

skua_code skua_parameters_bind_int64(skua_parameters* parameters, const char* name, int64_t value) {
  return bind(parameters, name, [&] { return value; });
}

skua_code skua_parameters_bind_double(skua_parameters* parameters, const char* name, double value) {
  return bind(parameters, name, [&] { return value; });
}

skua_code skua_parameters_bind_text(skua_parameters* parameters, const char* name, const char* text, size_t size) {
  if (size == SKUA_NUL_TERMINATED && text != nullptr) size = std::strlen(text);
  return bind_bytes(parameters, name, text, size, [](std::string bytes) { return bytes; });
}

skua_code skua_parameters_bind_blob(skua_parameters* parameters, const char* name, const void* bytes, size_t size) {
  return bind_bytes(parameters, name, bytes, size, [](std::string content) { return skua::Blob{std::move(content)}; });
}

void skua_parameters_clear(skua_parameters* parameters) {
  if (parameters == nullptr) return;
  parameters->list.clear();
  parameters->failure = SKUA_OK;
  parameters->reason = "";
}

void skua_parameters_free(skua_parameters* parameters) { delete parameters; }
