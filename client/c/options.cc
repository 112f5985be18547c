#include "client/c/options.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "client/c/error.h"

namespace skua::c {

static_assert(SKUA_DURABILITY_FULL == static_cast<int>(Durability::kFull));
static_assert(SKUA_DURABILITY_RELAXED == static_cast<int>(Durability::kRelaxed));
static_assert(SKUA_TRANSACTION_WRITE == static_cast<int>(TransactionMode::kWrite));
static_assert(SKUA_TRANSACTION_READ == static_cast<int>(TransactionMode::kRead));

// No padding at their ends, which a caller may leave as it is and a later member would lie in.
static_assert(sizeof(skua_connect_options) == offsetof(skua_connect_options, reserved) + sizeof(std::uint32_t));
static_assert(sizeof(skua_request_options) == offsetof(skua_request_options, idempotency_key_size) + sizeof(std::size_t));

namespace {

// The size of each structure in version 1.0 of the interface: no caller knows less.
constexpr std::size_t kConnectOptionsSizeMin = sizeof(skua_connect_options);
constexpr std::size_t kRequestOptionsSizeMin = sizeof(skua_request_options);
// A struct_size beyond this was not meant.
constexpr std::size_t kOptionsSizeMax = 4096;

// The members that both sides know; the others are zero.
template <class Options>
Result<Options> known_members(const Options* options, std::size_t size_min, const char* name) {
  Options known{};
  const std::size_t size = options->struct_size;
  if (size < size_min || size > kOptionsSizeMax) {
    return make_error(ErrorCode::kUsage, std::string(name) + ".struct_size is not the size of the structure");
  }
  std::memcpy(&known, options, std::min(size, sizeof(Options)));
  const auto* bytes = reinterpret_cast<const char*>(options);
  for (std::size_t i = sizeof(Options); i < size; ++i) {
    if (bytes[i] != 0) {
      return make_error(ErrorCode::kVersion, std::string(name) + " has a member that this libskua does not know: update it");
    }
  }
  return known;
}

std::string text_of(const char* text) { return text == nullptr ? std::string() : std::string(text); }

}  // namespace

Result<ConnectOptions> connect_options(const skua_connect_options* options) {
  ConnectOptions result;
  if (options == nullptr) return result;
  SKUA_ASSIGN(const skua_connect_options known, known_members(options, kConnectOptionsSizeMin, "skua_connect_options"));
  if (known.reserved != 0) return usage("skua_connect_options.reserved is not 0");
  result.socket_path = text_of(known.socket_path);
  result.database = text_of(known.database);
  if (known.client_name != nullptr) result.client_name = known.client_name;
  if (known.connect_timeout_ms != 0) result.connect_timeout_ms = known.connect_timeout_ms;
  return result;
}

Result<RequestOptions> request_options(const skua_request_options* options) {
  RequestOptions result;
  if (options == nullptr) return result;
  SKUA_ASSIGN(const skua_request_options known, known_members(options, kRequestOptionsSizeMin, "skua_request_options"));
  // Compared as numbers: a C caller may have stored any.
  const auto durability = static_cast<unsigned>(known.durability);
  if (durability > SKUA_DURABILITY_RELAXED) return usage("skua_request_options.durability is not one of skua_durability");
  if (known.independent_rows > 1) return usage("skua_request_options.independent_rows is neither 0 nor 1");
  result.database = text_of(known.database);
  result.deadline_ms = known.deadline_ms;
  result.durability = static_cast<Durability>(durability);
  result.window_bytes = known.window_bytes;
  result.independent = known.independent_rows != 0;
  if (known.idempotency_key != nullptr) {
    if (known.idempotency_key_size == SKUA_NUL_TERMINATED) {
      result.idempotency_key = known.idempotency_key;
    } else {
      result.idempotency_key.assign(known.idempotency_key, known.idempotency_key_size);
    }
    if (result.idempotency_key.empty()) return usage("an idempotency key has one byte at least");
  } else if (known.idempotency_key_size != 0) {
    return usage("skua_request_options.idempotency_key is NULL and has a size");
  }
  return result;
}

Result<TransactionMode> transaction_mode(skua_transaction_mode mode) {
  const auto number = static_cast<unsigned>(mode);
  if (number > SKUA_TRANSACTION_READ) return usage("mode is not one of skua_transaction_mode");
  return static_cast<TransactionMode>(number);
}

}  // namespace skua::c
