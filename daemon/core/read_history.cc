#include "daemon/core/read_history.h"

#include <algorithm>

namespace skua {

namespace {

constexpr std::uint32_t kDistrust = 8;
constexpr std::uint32_t kShortRunsWantedMax = 4'096;
// So many short runs on the loop thread for each that was wanted on a lane halve what will be wanted.
constexpr std::uint32_t kTrust = 16;

}  // namespace

ReadHistory::Text* ReadHistory::find(std::string_view sql) {
  // A client that repeats one statement is the case that has to be fast.
  if (!texts_.empty() && texts_.front().sql == sql) return &texts_.front();
  const auto found = by_sql_.find(sql);
  if (found == by_sql_.end()) return nullptr;
  texts_.splice(texts_.begin(), texts_, found->second);
  return &*found->second;
}

bool ReadHistory::is_short(std::string_view sql) {
  const Text* text = find(sql);
  return text != nullptr && text->short_runs >= text->short_runs_wanted;
}

void ReadHistory::on_lane_run(std::string_view sql, bool was_short) {
  Text* text = find(sql);
  if (text == nullptr) {
    if (!was_short || sql.size() > kSqlBytesMax) return;
    if (texts_.size() >= kTextsMax) {
      by_sql_.erase(texts_.back().sql);
      texts_.pop_back();
    }
    texts_.push_front({.sql = std::string(sql)});
    text = &texts_.front();
    by_sql_.emplace(text->sql, texts_.begin());
  }
  // It may run on both at the same time.
  text->short_runs = was_short ? std::min(text->short_runs + 1, text->short_runs_wanted) : 0;
}

void ReadHistory::on_inline_run(std::string_view sql, bool was_short) {
  Text* text = find(sql);
  if (text == nullptr) return;
  if (!was_short) {
    text->short_runs_wanted = std::min(text->short_runs_wanted * kDistrust, kShortRunsWantedMax);
    text->short_runs = 0;
    text->inline_runs = 0;
    return;
  }
  if (text->short_runs_wanted == 1 || ++text->inline_runs < kTrust * text->short_runs_wanted) return;
  text->short_runs_wanted /= 2;
  text->inline_runs = 0;
}

}  // namespace skua
