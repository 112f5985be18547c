#include "protocol/shared_rings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <system_error>

namespace skua {

namespace {

struct Layout {
  RingState request_state;
  RingState response_state;
  alignas(4096) char request_bytes[kRingBytes];
  char response_bytes[kRingBytes];
};

// Both sides have this, and a later version has another feature bit for anything else: docs/PROTOCOL.md.
static_assert(offsetof(RingState, written) == 0 && offsetof(RingState, read) == 64 && offsetof(RingState, asleep) == 128 &&
              offsetof(RingState, wakes) == 132 && offsetof(RingState, core) == 136 && sizeof(RingState) == 192);
static_assert(offsetof(Layout, request_bytes) == 4096 && sizeof(Layout) == 4096 + 2 * 16'384);
static_assert((kRingBytes & (kRingBytes - 1)) == 0 && kRingBytes % kWordBytes == 0);

std::size_t place_of(std::uint64_t position) { return static_cast<std::size_t>(position & (kRingBytes - 1)); }

Error cannot(std::string_view what) {
  return make_error(ErrorCode::kUnavailable,
                    fmt::format("cannot {}: {}", what, std::generic_category().message(errno)));
}

Result<void*> map_shared(int descriptor) {
  void* memory = ::mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
  if (memory == MAP_FAILED) return cannot("map the memory of rings");
  return memory;
}

}  // namespace

std::uint32_t core_here() {
  const int core = ::sched_getcpu();
  return core < 0 ? 0 : static_cast<std::uint32_t>(core) + 1;
}

void RingWriter::put(std::string_view bytes) {
  const std::size_t at = place_of(written_);
  const std::size_t first = std::min(bytes.size(), kRingBytes - at);
  std::memcpy(ring_.bytes + at, bytes.data(), first);
  if (first < bytes.size()) std::memcpy(ring_.bytes, bytes.data() + first, bytes.size() - first);
  written_ += bytes.size();
}

void RingWriter::wake_reader(RingState& state) noexcept {
  state.wakes.fetch_add(1);
  ::syscall(SYS_futex, &state.wakes, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void RingWriter::wake_readers(RingState& one, RingState& other) noexcept {
  one.wakes.fetch_add(1);
  const std::uint32_t wakes = other.wakes.fetch_add(1) + 1;
  // Adds nothing, and wakes who waits at the second, too, for it is not what it is compared with: unless its reader has written
  // there, who then looks by itself in time.
  const std::uint32_t operation = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_NE, wakes == 0 ? 1 : 0);
  ::syscall(SYS_futex, &one.wakes, FUTEX_WAKE_OP, INT_MAX, long{INT_MAX}, &other.wakes, operation);
}

void RingReader::take(char* to, std::size_t bytes) {
  const std::size_t at = place_of(read_);
  const std::size_t first = std::min(bytes, kRingBytes - at);
  std::memcpy(to, ring_.bytes + at, first);
  if (first < bytes) std::memcpy(to + first, ring_.bytes, bytes - first);
  read_ += bytes;
  ring_.state->read.store(read_, std::memory_order_release);
}

std::uint64_t RingReader::next_word() const {
  std::uint64_t word = 0;
  std::memcpy(&word, ring_.bytes + place_of(read_), sizeof(word));
  return word;
}

bool RingReader::doze(std::uint32_t wake) {
  ring_.state->asleep.store(wake, std::memory_order_seq_cst);
  // The writer looks the other way round: first it writes, then it asks. One of the two sees the other.
  if (available() == std::size_t{0}) return true;
  stay_awake();
  return false;
}

void RingReader::sleep(std::chrono::nanoseconds time) {
  const std::uint32_t wakes = ring_.state->wakes.load(std::memory_order_seq_cst);
  if (!doze()) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  timespec timeout{};
  timeout.tv_sec = static_cast<std::time_t>(seconds.count());
  timeout.tv_nsec = static_cast<long>((time - seconds).count());
  ::syscall(SYS_futex, &ring_.state->wakes, FUTEX_WAIT, wakes, &timeout, nullptr, 0);
  stay_awake();
}

Result<std::shared_ptr<SharedRings>> SharedRings::create() {
  const int descriptor = ::memfd_create("skua-rings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return cannot("make the memory of rings");
  // From here on it is closed by the object.
  std::shared_ptr<SharedRings> rings(new SharedRings(nullptr, descriptor));
  if (::ftruncate(descriptor, sizeof(Layout)) != 0) return cannot("make the memory of rings");
  if (::fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return cannot("seal the memory of rings");
  }
  SKUA_ASSIGN(void* const memory, map_shared(descriptor));
  rings->descriptor_ = -1;
  rings.reset(new SharedRings(memory, descriptor));
  // Until somebody looks at it, a ring has to be told of. The rest is zero.
  rings->requests().state->asleep.store(1);
  return rings;
}

Result<std::shared_ptr<SharedRings>> SharedRings::map(int descriptor) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0 || about.st_size != static_cast<off_t>(sizeof(Layout))) {
    return make_error(ErrorCode::kProtocol, "what the daemon sent is not the memory of rings");
  }
  SKUA_ASSIGN(void* const memory, map_shared(descriptor));
  return std::shared_ptr<SharedRings>(new SharedRings(memory, -1));
}

SharedRings::~SharedRings() {
  close_descriptor();
  if (memory_ != nullptr) ::munmap(memory_, sizeof(Layout));
}

void SharedRings::close_descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

Ring SharedRings::requests() const {
  auto* layout = static_cast<Layout*>(memory_);
  return {&layout->request_state, layout->request_bytes};
}

Ring SharedRings::responses() const {
  auto* layout = static_cast<Layout*>(memory_);
  return {&layout->response_state, layout->response_bytes};
}

}  // namespace skua
