#include "skua/connection.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "client/src/backup_fetch.h"
#include "client/src/bell.h"
#include "client/src/channel.h"
#include "client/src/request.h"
#include "client/src/row_stream_state.h"
#include "protocol/features.h"

namespace skua {

void Canceller::cancel() const noexcept { bell_->ring(); }

Result<Connection> Connection::connect(const ConnectOptions& options) {
  SKUA_ASSIGN(std::shared_ptr<Channel> channel, Channel::connect(options));
  return Connection(std::move(channel));
}

Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<ResultSet> Connection::execute(std::string_view sql, const Parameters& parameters,
                                      const RequestOptions& options) {
  return execute_statement(channel_, sql, parameters, options);
}

Result<RowStream> Connection::stream(std::string_view sql, const Parameters& parameters,
                                     const RequestOptions& options) {
  return stream_statement(channel_, sql, parameters, options);
}

Result<Summary> Connection::execute_many(std::string_view sql, const ParameterRows& rows,
                                         const RequestOptions& options) {
  SKUA_ASSIGN(Request request, execute_many_request(channel_->head(options), sql, rows, options.durability, options.independent));
  return channel_->call<Summary>(std::move(request));
}

Result<ProgramResult> Connection::run(const Program& program, const RequestOptions& options) {
  SKUA_ASSIGN(Request request, program_request(channel_->head(options), program, options.durability));
  return channel_->call<ProgramResult>(std::move(request));
}

Result<Transaction> Connection::begin(TransactionMode mode, const RequestOptions& options) {
  const std::uint32_t number = channel_->next_transaction();
  SKUA_ASSIGN(Request request, begin_request(channel_->head(options, number), mode, options.durability));
  if (auto begun = channel_->call<Summary>(std::move(request)); !begun) {
    // The daemon keeps the number of a failed begin until it hears rollback.
    if (begun.error().transaction == TransactionState::kAborted) {
      if (auto rollback = rollback_request(channel_->head(options, number)); rollback) {
        channel_->send_and_forget(std::move(*rollback));
      }
    }
    return std::move(begun).error();
  }
  return Transaction(channel_, number, options.database);
}

Result<std::vector<Transaction>> Connection::begin_group(std::size_t count, const RequestOptions& options) {
  if (count == 0) return make_error(ErrorCode::kUsage, "a group has one transaction at least");
  if (!channel_->has_feature(kFeatureSiblings)) {
    return make_error(ErrorCode::kVersion,
                      fmt::format("skuad {} cannot open transactions that share a snapshot: update it",
                                  channel_->server().server_version));
  }
  std::vector<std::uint32_t> numbers(count);
  for (std::uint32_t& number : numbers) number = channel_->next_transaction();
  SKUA_ASSIGN(Request request, begin_group_request(channel_->head(options, numbers.front()), std::span(numbers).subspan(1)));
  const auto begun = channel_->call<Summary>(std::move(request));
  std::vector<Transaction> group;
  if (begun || begun.error().transaction == TransactionState::kAborted) {
    for (const std::uint32_t number : numbers) group.emplace_back(channel_, number, options.database);
  }
  // The daemon keeps the numbers of a failed begin until it hears rollback, which the destructors say.
  if (!begun) return begun.error();
  return group;
}

Result<Description> Connection::describe(std::string_view sql, const RequestOptions& options) {
  SKUA_ASSIGN(Request request, describe_request(channel_->head(options), sql));
  return channel_->call<Description>(std::move(request));
}

Result<ResultSet> Connection::stats(const RequestOptions& options) {
  SKUA_ASSIGN(Request request, stats_request(channel_->head(options)));
  return collect_rows(channel_, std::move(request), options.window_bytes);
}

Result<std::vector<DatabaseLock>> Connection::locks(const RequestOptions& options) {
  SKUA_ASSIGN(Request request, locks_request(channel_->head(options)));
  return channel_->call<std::vector<DatabaseLock>>(std::move(request));
}

Result<BackupSummary> Connection::backup(const std::string& file, const BackupOptions& backup,
                                         const RequestOptions& options) {
  SKUA_ASSIGN(PartFile part, PartFile::create(file, backup.replace));
  SKUA_TRY(check_backup_target(file));
  SKUA_ASSIGN(Request request, backup_request(channel_->head(options)));
  return BackupFetch(channel_, backup).run(std::move(request), std::move(part));
}

Status Connection::ping(const RequestOptions& options) {
  SKUA_ASSIGN(Request request, ping_request(channel_->head(options)));
  SKUA_TRY(channel_->call<Summary>(std::move(request)));
  return {};
}

Canceller Connection::canceller() const { return Canceller(channel_->bell()); }
const ServerInfo& Connection::server() const { return channel_->server(); }
bool Connection::is_open() const { return channel_ != nullptr && channel_->is_open(); }

}  // namespace skua
