#include "client/src/known_columns.h"

#include <utility>

namespace skua {

KnownColumns::Entry KnownColumns::find(std::string_view sql) {
  // One statement over and over is the case that has to be fast.
  if (!texts_.empty() && texts_.front().sql == sql) return texts_.front().entry;
  const auto found = by_sql_.find(sql);
  if (found == by_sql_.end()) return {};
  texts_.splice(texts_.begin(), texts_, found->second);
  return texts_.front().entry;
}

void KnownColumns::keep(std::string_view sql, Entry entry) {
  if (entry.id == 0 || sql.size() > kSqlBytesMax) return;
  if (const auto found = by_sql_.find(sql); found != by_sql_.end()) {
    found->second->entry = std::move(entry);
    return;
  }
  if (texts_.size() >= kTextsMax) {
    by_sql_.erase(texts_.back().sql);
    texts_.pop_back();
  }
  texts_.push_front({std::string(sql), std::move(entry)});
  by_sql_.emplace(texts_.front().sql, texts_.begin());
}

}  // namespace skua
