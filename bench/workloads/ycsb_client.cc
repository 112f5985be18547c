#include "bench/workloads/ycsb_client.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <new>
#include <utility>

namespace skua::bench {

namespace {

// Yahoo's benchmark scatters the keys over those that are there and those that the inserts of the run will bring, and draws
// again what is not there yet: so the popular ones stay the same while the table grows.
constexpr std::int64_t kScatteredSpare = 10'000;

std::uint64_t scattered_count(const YcsbMix& mix, const YcsbTable& table) {
  return static_cast<std::uint64_t>(table.record_count() + (mix.inserts > 0 ? kScatteredSpare : 0));
}

}  // namespace

YcsbKeys::YcsbKeys(std::int64_t records) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SKUA_CHECK(memory != MAP_FAILED);
  shared_ = new (memory) Shared{records, records};
}

YcsbKeys::~YcsbKeys() { ::munmap(shared_, sizeof(Shared)); }

void YcsbKeys::settle(std::int64_t number, bool inserted) {
  ++(inserted ? shared_->inserted : shared_->failed);
  const auto place = [this](std::int64_t of) -> std::atomic<bool>& {
    return shared_->settled[static_cast<std::size_t>(of) % kWindow];
  };
  place(number) = true;
  // Whoever moves `known` past a number has taken its mark away first, so that it is moved past once.
  for (std::int64_t known = shared_->known; place(known).exchange(false); ++known) shared_->known = known + 1;
}

YcsbClient::YcsbClient(const YcsbMix& mix, const YcsbTable& table, YcsbKeys& keys, std::unique_ptr<YcsbStore> store,
                       std::uint64_t seed)
    : mix_(mix),
      keys_(keys),
      store_(std::move(store)),
      random_(seed),
      scattered_(scattered_count(mix, table)),
      latest_(static_cast<std::uint64_t>(table.record_count())) {}

Status YcsbClient::run_one() {
  double share = draw_share(random_);
  const auto is_drawn = [&share](double part) {
    share -= part;
    return share < 0;
  };
  if (is_drawn(mix_.updates)) return update(YcsbTable::key_of(draw_number()));
  if (is_drawn(mix_.inserts)) return insert();
  if (is_drawn(mix_.scans)) return scan();
  const std::string key = YcsbTable::key_of(draw_number());
  if (!is_drawn(mix_.read_modify_writes)) return read(key);
  SKUA_TRY(read(key));
  return update(key);
}

std::int64_t YcsbClient::draw_number() {
  const std::int64_t known = keys_.known_count();
  if (mix_.latest) {
    latest_.grow(static_cast<std::uint64_t>(known));
    return known - 1 - static_cast<std::int64_t>(latest_.draw(random_));
  }
  auto number = static_cast<std::int64_t>(scattered_.draw(random_));
  while (number >= known) number = static_cast<std::int64_t>(scattered_.draw(random_));
  return number;
}

Status YcsbClient::read(const std::string& key) {
  SKUA_ASSIGN(const bool found, store_->read(key));
  if (found || !keys_.is_complete()) return {};
  return make_error(ErrorCode::kNotFound, fmt::format("there is no record {}", key));
}

Status YcsbClient::update(const std::string& key) {
  const std::size_t field = random_() % YcsbTable::kFields;
  return store_->update(key, field, YcsbTable::draw_value(random_));
}

Status YcsbClient::insert() {
  YcsbValues values;
  for (std::string& value : values) value = YcsbTable::draw_value(random_);
  const std::int64_t number = keys_.take();
  const Status inserted = store_->insert(YcsbTable::key_of(number), values);
  keys_.settle(number, inserted.has_value());
  return inserted;
}

Status YcsbClient::scan() {
  const std::int64_t rows = 1 + static_cast<std::int64_t>(random_() % YcsbTable::kScanRowsMax);
  SKUA_ASSIGN(const std::int64_t found, store_->scan(YcsbTable::key_of(draw_number()), rows));
  // Behind the last keys there are fewer.
  if (found <= rows && (found > 0 || !keys_.is_complete())) return {};
  return make_error(ErrorCode::kInternal, fmt::format("a scan for {} rows had {}", rows, found));
}

}  // namespace skua::bench
