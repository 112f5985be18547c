#include "daemon/engine/statement_cache.h"

namespace skua {

StatementCache::Lease::~Lease() {
  if (entry_ == nullptr) return;
  if (!entry_->kept) {
    delete entry_;
    return;
  }
  entry_->statement.reset_bindings();
  entry_->leased = false;
}

std::optional<StatementCache::Lease> StatementCache::find(std::string_view sql) {
  const auto found = by_sql_.find(sql);
  if (found == by_sql_.end() || found->second->leased) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  found->second->leased = true;
  return Lease(&*found->second);
}

Result<StatementCache::Lease> StatementCache::lease(sqlite3* db, std::string_view sql) {
  if (auto cached = find(sql)) return std::move(*cached);
  const auto found = by_sql_.find(sql);
  SKUA_ASSIGN(Statement statement, Statement::prepare(db, sql));
  if (found != by_sql_.end()) return Lease(new Entry{std::string(sql), std::move(statement), true, false});
  evict();
  entries_.push_front(Entry{std::string(sql), std::move(statement), true, true});
  by_sql_.emplace(entries_.front().sql, entries_.begin());
  return Lease(&entries_.front());
}

void StatementCache::evict() {
  auto candidate = entries_.end();
  while (entries_.size() >= entries_max_ && candidate != entries_.begin()) {
    --candidate;
    if (candidate->leased) continue;
    by_sql_.erase(candidate->sql);
    candidate = entries_.erase(candidate);
  }
}

}  // namespace skua
