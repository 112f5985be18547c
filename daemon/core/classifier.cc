#include "daemon/core/classifier.h"

namespace skua {

Result<StatementKind> Classifier::classify(std::string_view sql) {
  if (sql == last_.sql && !sql.empty()) return last_.kind;
  Result<StatementKind> kind = classify_another(sql);
  if (kind && sql.size() <= kLastBytesMax) {
    last_.sql = sql;
    last_.kind = *kind;
  }
  return kind;
}

Result<StatementKind> Classifier::classify_another(std::string_view sql) {
  if (!is_classified_late(sql)) return classify_statement(sql);
  if (const Entry* known = find(sql); known != nullptr) return known->kind;
  SKUA_ASSIGN(StatementKind kind, classify_statement(sql));
  remember(sql, kind);
  return kind;
}

const Classifier::Entry* Classifier::find(std::string_view sql) {
  // The one that was used last is often used next.
  if (!entries_.empty() && entries_.front().sql == sql) return &entries_.front();
  if (sql.size() > kTextBytesMax) return nullptr;
  const auto found = by_sql_.find(sql);
  if (found == by_sql_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front();
}

void Classifier::remember(std::string_view sql, const StatementKind& kind) {
  const auto bytes_of = [](std::string_view text) { return sizeof(Entry) + text.size(); };
  if (sql.size() > kTextBytesMax) return;
  while (bytes_ + bytes_of(sql) > kBytesMax) {
    bytes_ -= bytes_of(entries_.back().sql);
    by_sql_.erase(entries_.back().sql);
    entries_.pop_back();
  }
  bytes_ += bytes_of(sql);
  entries_.push_front({std::string(sql), kind});
  by_sql_.emplace(entries_.front().sql, entries_.begin());
}

}  // namespace skua
