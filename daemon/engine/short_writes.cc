#include "daemon/engine/short_writes.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "protocol/codec.h"

namespace skua {

std::size_t ShortWrites::hash_of(const Job& job) {
  return std::hash<std::string_view>()(job.request->sql);
}

bool ShortWrites::may_run(const Job& job, std::uint64_t now_us) const {
  if (job.kind != JobKind::kRequest || !job.may_join_group || now_us < paused_until_us_) return false;
  if (job.request->kind != wire::Request::EXECUTE || job.request->message->byte_count() > kRequestBytesMax)
    return false;
  return std::find(long_.begin(), long_.end(), hash_of(job)) == long_.end();
}

void ShortWrites::add_long(const Job& job) {
  long_[next_] = hash_of(job);
  next_ = (next_ + 1) % long_.size();
}

}  // namespace skua
