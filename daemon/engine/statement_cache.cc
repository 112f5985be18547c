#include "daemon/engine/statement_cache.h"

#include "daemon/engine/authorizer.h"

namespace skua {

StatementCache::Lease::~Lease() {
  if (entry_ == nullptr) return;
  if (entry_->keeper == nullptr) {
    delete entry_;
    return;
  }
  entry_->statement.reset_bindings();
  entry_->leased = false;
  if (entry_->statement.times_prepared_anew() != entry_->times_prepared_anew) entry_->keeper->look_again(*entry_);
}

std::optional<StatementCache::Lease> StatementCache::find(std::string_view sql) {
  // The one that was used last is often used next.
  if (!entries_.empty() && !entries_.front().leased && entries_.front().sql == sql) {
    entries_.front().leased = true;
    return Lease(&entries_.front());
  }
  const auto found = by_sql_.find(sql);
  if (found == by_sql_.end() || found->second->leased) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  found->second->leased = true;
  return Lease(&*found->second);
}

Result<StatementCache::Lease> StatementCache::lease(sqlite3* db, std::string_view sql) {
  if (auto cached = find(sql)) return std::move(*cached);
  const bool is_second = by_sql_.contains(sql);
  SKUA_ASSIGN(Statement statement, Statement::prepare(db, sql));
  Entry entry{std::string(sql), std::move(statement), true};
  if (is_second) return Lease(new Entry(std::move(entry)));
  entry.bytes = sizeof(Entry) + sql.size() + entry.statement.memory_bytes();
  if (entry.bytes > bytes_max_) return Lease(new Entry(std::move(entry)));
  make_room(1, entry.bytes);
  entry.keeper = this;
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  by_sql_.emplace(entries_.front().sql, entries_.begin());
  return Lease(&entries_.front());
}

void StatementCache::make_room(std::size_t entries, std::size_t bytes) {
  auto candidate = entries_.end();
  while ((entries_.size() + entries > entries_max_ || bytes_ + bytes > bytes_max_) && candidate != entries_.begin()) {
    --candidate;
    if (candidate->leased) continue;
    bytes_ -= candidate->bytes;
    by_sql_.erase(candidate->sql);
    candidate = entries_.erase(candidate);
  }
}

void StatementCache::look_again(Entry& entry) {
  entry.times_prepared_anew = entry.statement.times_prepared_anew();
  // With another schema the same text may call other things; what it calls no longer is forgotten when it is prepared for
  // the next cache.
  if (authorizer_ != nullptr && authorizer_->may_stall()) entry.statement.expect_stall();
  bytes_ -= entry.bytes;
  entry.bytes = sizeof(Entry) + entry.sql.size() + entry.statement.memory_bytes();
  bytes_ += entry.bytes;
  make_room(0, 0);
}

}  // namespace skua
