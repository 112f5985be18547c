// ReadHistory: what the reads of one database have shown of themselves, by SQL text: which of them may run on the loop
// thread.
//
// A text that nobody has seen runs on a reader lane, where it may take its time, be it only for being parsed. Once it was
// short there it is taken for short. Whenever it turns out long on the loop thread, it has to be short on a lane eight times
// as often as before until it is trusted again; runs that are short on the loop thread make up for that. Keeps the texts
// that were asked for last. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/base/thread_annotations.h"

namespace skua {

class ReadHistory {
 public:
  // What cannot be parsed in a moment is for the lanes.
  static constexpr std::size_t kSqlBytesMax = 4'096;
  static constexpr std::size_t kTextsMax = 1'024;

  bool is_short(std::string_view sql) SKUA_REQUIRES(loop_thread);
  void on_lane_run(std::string_view sql, bool was_short) SKUA_REQUIRES(loop_thread);
  void on_inline_run(std::string_view sql, bool was_short) SKUA_REQUIRES(loop_thread);

  std::size_t text_count() const SKUA_REQUIRES(loop_thread) { return texts_.size(); }

 private:
  struct Text {
    std::string sql;
    // Short runs on a lane, one after the other, that make it short, and how many of them there were.
    std::uint32_t short_runs_wanted = 1;
    std::uint32_t short_runs = 0;
    // Short runs on the loop thread since it has been taken for short, or since they last made up for a long one.
    std::uint32_t inline_runs = 0;
  };
  using Texts = std::list<Text>;

  // Null if it is not known.
  Text* find(std::string_view sql) SKUA_REQUIRES(loop_thread);

  // Asked for last first. Texts do not move in memory.
  Texts texts_ SKUA_GUARDED_BY(loop_thread);
  std::unordered_map<std::string_view, Texts::iterator> by_sql_ SKUA_GUARDED_BY(loop_thread);
};

}  // namespace skua
