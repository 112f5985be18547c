#include "client/src/observer.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <optional>
#include <utility>

namespace skua {

namespace {

std::uint64_t next_execution_id() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// Cut between characters of UTF-8, never within one.
void append_cut(std::string& out, std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    out += text;
    return;
  }
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
  out += text.substr(0, end);
  out += "...";
}

// On one line, whatever is in it.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n' || c == '\t' || c == '\r') {
      out += ' ';
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
}

std::string shown(const Value& value, std::size_t bytes_max) {
  const ValueView view = ValueView::of(value);
  switch (view.kind()) {
    case ValueKind::kNull: return "NULL";
    case ValueKind::kInteger: return fmt::to_string(view.integer());
    case ValueKind::kReal: return fmt::format("{}", view.real());
    case ValueKind::kBlob: return fmt::format("<blob of {} bytes>", view.bytes().size());
    case ValueKind::kText: break;
  }
  std::string text = "'";
  append_cut(text, view.bytes(), bytes_max);
  return text + "'";
}

std::string_view name_of(Execution::Kind kind) {
  switch (kind) {
    case Execution::Kind::kExecute:
    case Execution::Kind::kStream:
    case Execution::Kind::kExecuteMany:
    case Execution::Kind::kProgram: return "";
    case Execution::Kind::kBegin: return "BEGIN";
    case Execution::Kind::kCommit: return "COMMIT";
    case Execution::Kind::kRollback: return "ROLLBACK";
    case Execution::Kind::kSavepoint: return "SAVEPOINT";
  }
  return "";
}

void append_parameters(std::string& line, const Execution& execution, const EchoOptions& options) {
  if (execution.kind == Execution::Kind::kExecuteMany) {
    fmt::format_to(std::back_inserter(line), " [{} rows of parameters]", execution.row_count);
    return;
  }
  if (execution.parameters == nullptr || execution.parameters->empty()) return;
  std::string_view separator = " [";
  for (const Parameters::Entry& entry : execution.parameters->entries()) {
    line += separator;
    if (!entry.name.empty()) fmt::format_to(std::back_inserter(line), "{}=", entry.name);
    append_escaped(line, options.mask_parameters ? "?" : shown(entry.value, options.value_bytes_max));
    separator = ", ";
  }
  line += ']';
}

}  // namespace

std::string echo_line(const Execution& execution, const ExecutionEnd& end, const EchoOptions& options) {
  std::string line = "skua:";
  if (execution.transaction != 0) fmt::format_to(std::back_inserter(line), " ({})", execution.transaction);
  if (const std::string_view name = name_of(execution.kind); !name.empty()) {
    line += ' ';
    line += name;
  }
  if (!execution.sql.empty()) {
    std::string sql;
    append_cut(sql, execution.sql, options.sql_bytes_max);
    line += ' ';
    append_escaped(line, sql);
  }
  append_parameters(line, execution, options);
  if (end.error != nullptr) {
    line += " -> ";
    fmt::format_to(std::back_inserter(line), "{}: ", to_string(end.error->code));
    append_escaped(line, end.error->message);
  } else if (end.summary != nullptr && execution.kind <= Execution::Kind::kExecuteMany) {
    fmt::format_to(std::back_inserter(line), " -> {} rows, {} changed", end.summary->row_count, end.summary->changes);
  }
  fmt::format_to(std::back_inserter(line), ", {:.3f} ms", static_cast<double>(end.elapsed_us) / 1000.0);
  return line;
}

std::unique_ptr<Observer> Observer::make(const ExecutionHooks& hooks, const EchoOptions& echo) {
  if (!hooks.before && !hooks.after && !echo.enabled) return nullptr;
  auto observer = std::make_unique<Observer>();
  observer->hooks_ = hooks;
  observer->echo_ = echo;
  return observer;
}

void Observer::before(const Execution& execution) const {
  if (hooks_.before) hooks_.before(execution);
}

void Observer::after(const Execution& execution, const ExecutionEnd& end) const {
  if (hooks_.after) hooks_.after(execution, end);
  if (!echo_.enabled) return;
  std::string line = echo_line(execution, end, echo_);
  if (echo_.write) return echo_.write(line);
  line += '\n';
  // In one piece, so that lines of several threads do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

struct Observation::Told {
  const Observer& observer;
  Execution execution;
  std::string sql;
  std::string database;
  std::optional<Parameters> parameters;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

Observation::Observation() noexcept = default;

Observation::Observation(const Observer* observer, const Execution& execution) {
  if (observer == nullptr) return;
  told_ = std::make_unique<Told>(
      Told{*observer, execution, std::string(execution.sql), std::string(execution.database), std::nullopt});
  if (execution.parameters != nullptr) told_->parameters = *execution.parameters;
  told_->execution.id = next_execution_id();
  told_->execution.sql = told_->sql;
  told_->execution.database = told_->database;
  told_->execution.parameters = told_->parameters ? &*told_->parameters : nullptr;
  observer->before(told_->execution);
}

Observation::Observation(Observation&&) noexcept = default;
Observation& Observation::operator=(Observation&& other) noexcept {
  std::swap(told_, other.told_);
  return *this;
}

Observation::~Observation() {
  if (told_ != nullptr) fail(make_error(ErrorCode::kCancelled, "given up by the program"));
}

void Observation::succeed(const Summary* summary) { end({nullptr, summary, 0}); }
void Observation::fail(const Error& error) { end({&error, nullptr, 0}); }

void Observation::end(const ExecutionEnd& end) {
  const std::unique_ptr<Told> told = std::move(told_);
  if (told == nullptr) return;
  const auto elapsed = std::chrono::steady_clock::now() - told->started;
  ExecutionEnd complete = end;
  complete.elapsed_us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count());
  told->observer.after(told->execution, complete);
}

std::string sql_of(const Program& program) {
  std::string sql;
  for (const Program::Step& step : program.steps) {
    if (!sql.empty()) sql += ";\n";
    sql += step.sql;
  }
  return sql;
}

}  // namespace skua
