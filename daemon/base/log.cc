#include "daemon/base/log.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace skua {

namespace {

// %* in the pattern: syslog's priority in angle brackets.
class PriorityFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string_view priority = "<6>";
    switch (message.level) {
      case spdlog::level::trace:
      case spdlog::level::debug: priority = "<7>"; break;
      case spdlog::level::warn: priority = "<4>"; break;
      case spdlog::level::err: priority = "<3>"; break;
      case spdlog::level::critical: priority = "<2>"; break;
      default: break;
    }
    out.append(priority.data(), priority.data() + priority.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PriorityFlag>(); }
};

}  // namespace

Result<LogTarget> parse_log_target(const std::string& text) {
  if (text == "auto") return LogTarget::kAuto;
  if (text == "stderr") return LogTarget::kStderr;
  if (text == "journal") return LogTarget::kJournal;
  return make_error(ErrorCode::kUsage, fmt::format("unknown log target '{}': it is auto, stderr or journal", text));
}

Status check_log_level(const std::string& level) {
  static constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
  bool known = false;
  for (const std::string_view name : kLevels) known = known || name == level;
  if (!known) {
    return make_error(ErrorCode::kUsage,
                      fmt::format("unknown log level '{}': it is trace, debug, info, warn, error or off", level));
  }
  return {};
}

Status set_up_log(const std::string& level, LogTarget target) {
  SKUA_TRY(check_log_level(level));
  auto logger = std::make_shared<spdlog::logger>("skuad", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const bool journal =
      target == LogTarget::kJournal || (target == LogTarget::kAuto && std::getenv("JOURNAL_STREAM") != nullptr);
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PriorityFlag>('*');
  formatter->set_pattern(journal ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace skua
