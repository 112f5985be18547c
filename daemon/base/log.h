// Sets up spdlog for the daemon: one line an event on standard error, either with a time for people or with a priority
// for journald (sd-daemon(3)). Everything else logs through spdlog's default logger, from any thread.
#pragma once

#include <string>

#include "protocol/result.h"

namespace skua {

enum class LogTarget { kAuto, kStderr, kJournal };

// "auto" writes for journald if standard error is connected to it ($JOURNAL_STREAM).
Result<LogTarget> parse_log_target(const std::string& text);
// trace, debug, info, warn, error, off.
Status check_log_level(const std::string& level);
Status set_up_log(const std::string& level, LogTarget target);

}  // namespace skua
