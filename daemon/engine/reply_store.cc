#include "daemon/engine/reply_store.h"

#include <capnp/message.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/codec.h"
#include "protocol/limits.h"

namespace skua {

namespace {

constexpr std::string_view kCreate =
    "CREATE TABLE IF NOT EXISTS skua_replies(key BLOB PRIMARY KEY, request BLOB NOT NULL, reply BLOB NOT NULL, "
    "at_ms INTEGER NOT NULL) WITHOUT ROWID";
constexpr std::string_view kCreateIndex = "CREATE INDEX IF NOT EXISTS skua_replies_at ON skua_replies(at_ms)";
constexpr std::string_view kFind = "SELECT request, reply FROM skua_replies WHERE key = ?";
constexpr std::string_view kKeep = "INSERT INTO skua_replies(key, request, reply, at_ms) VALUES (?, ?, ?, ?)";
// More than come in, so that old ones do not pile up, and few enough not to be felt.
constexpr std::string_view kForget =
    "DELETE FROM skua_replies WHERE key IN (SELECT key FROM skua_replies WHERE at_ms < ? ORDER BY at_ms LIMIT 4)";

std::int64_t now_ms() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string_view bytes_of(capnp::Data::Reader data) { return {data.asChars().begin(), data.size()}; }

template <class Part>
std::string digest(std::uint16_t kind, Part part) {
  // The same content always has the same canonical words, whoever built the message.
  const kj::Array<capnp::word> words = capnp::canonicalize(std::move(part));
  const auto bytes = words.asBytes();
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.begin(), bytes.size(), kind);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
}

// The statement and what it is given. How its answer is to travel is another matter, and may have changed when it is sent again:
// by then the client may know the columns, or have forgotten them with the connection.
std::string digest(std::uint16_t kind, wire::Execute::Reader execute) {
  capnp::MallocMessageBuilder message(static_cast<kj::uint>(execute.totalSize().wordCount) + 1);
  message.setRoot(execute);
  auto copy = message.getRoot<wire::Execute>();
  copy.setKnownColumns(0);
  copy.setWindowBytes(0);
  return digest<wire::Execute::Reader>(kind, copy.asReader());
}

// What tells this request from another one under the same key.
std::string digest_of(const Request& request) {
  const wire::Request::Reader root = request.message->root();
  const auto kind = static_cast<std::uint16_t>(request.kind);
  switch (request.kind) {
    case wire::Request::EXECUTE: return digest(kind, root.getExecute());
    case wire::Request::EXECUTE_MANY: return digest(kind, root.getExecuteMany());
    default: return digest(kind, root.getProgram());
  }
}

Frame readdressed(std::string_view stored, std::uint64_t request_id) {
  // Copied, because SQLite does not align a blob as Cap'n Proto wants it.
  Frame frame = Frame::uninitialised(stored.size() / sizeof(capnp::word));
  std::memcpy(frame.words(), stored.data(), frame.byte_count());
  MessageView view(frame.view());
  FrameBuilder copy(stored.size() / sizeof(capnp::word) + 1);
  copy.setRoot(view.root<wire::Response>());
  copy.getRoot<wire::Response>().setId(request_id);
  return copy.finish();
}

}  // namespace

Result<std::optional<Frame>> ReplyStore::find(const Request& request) {
  SKUA_TRY(connection_.run_internal(kCreate));
  SKUA_TRY(connection_.run_internal(kCreateIndex));
  SKUA_ASSIGN(const StatementCache::Lease statement, connection_.lease_internal(kFind));
  SKUA_TRY(statement->bind(1, ValueView::blob(bytes_of(request.message->root().getIdempotencyKey()))));
  SKUA_ASSIGN(const bool found, statement->step());
  if (!found) return std::optional<Frame>();
  if (statement->column(0).bytes() != digest_of(request)) {
    return make_error(ErrorCode::kProtocol, "the idempotency key was used for another request: a new request needs a new key");
  }
  return std::optional<Frame>(readdressed(statement->column(1).bytes(), request.id));
}

Status ReplyStore::keep(const Request& request, const std::vector<Frame>& answer) {
  if (answer.size() != 1 || answer.front().byte_count() > kIdempotencyReplyBytesMax) {
    return make_error(ErrorCode::kLimit, fmt::format("the answer to a request with an idempotency key has more than {} bytes "
                                                     "(idempotency_reply_bytes_max): return less",
                                                     kIdempotencyReplyBytesMax));
  }
  const std::int64_t now = now_ms();
  SKUA_ASSIGN(const StatementCache::Lease forget, connection_.lease_internal(kForget));
  SKUA_TRY(forget->bind(1, ValueView::integer(now - static_cast<std::int64_t>(connection_.idempotency_keep_ms()))));
  SKUA_TRY(forget->step());
  SKUA_ASSIGN(const StatementCache::Lease statement, connection_.lease_internal(kKeep));
  SKUA_TRY(statement->bind(1, ValueView::blob(bytes_of(request.message->root().getIdempotencyKey()))));
  const std::string digest = digest_of(request);
  SKUA_TRY(statement->bind(2, ValueView::blob(digest)));
  SKUA_TRY(statement->bind(3, ValueView::blob(answer.front().bytes())));
  SKUA_TRY(statement->bind(4, ValueView::integer(now)));
  SKUA_TRY(statement->step());
  return {};
}

}  // namespace skua
