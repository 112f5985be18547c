#include "skua/connection.h"

#include <utility>

#include "client/src/backup_fetch.h"
#include "client/src/bell.h"
#include "client/src/channel.h"
#include "client/src/open_transaction.h"
#include "client/src/operation.h"
#include "client/src/request.h"
#include "client/src/row_stream_state.h"

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
  SKUA_ASSIGN(Operation operation, execute_many_operation(*channel_, sql, rows, options, 0));
  return perform<Summary>(*channel_, std::move(operation));
}

Result<ProgramResult> Connection::run(const Program& program, const RequestOptions& options) {
  SKUA_ASSIGN(Operation operation, program_operation(*channel_, program, options));
  return perform<ProgramResult>(*channel_, std::move(operation));
}

Result<Transaction> Connection::begin(TransactionMode mode, const RequestOptions& options) {
  std::uint32_t number = 0;
  SKUA_ASSIGN(Operation operation, begin_operation(*channel_, mode, options, number));
  if (const auto begun = perform<Summary>(*channel_, std::move(operation)); !begun) {
    release_failed_begin(channel_, options, begun.error(), {&number, 1});
    return begun.error();
  }
  return Transaction(std::make_unique<OpenTransaction>(channel_, number, options.database));
}

Result<std::vector<Transaction>> Connection::begin_group(std::size_t count, const RequestOptions& options) {
  std::vector<std::uint32_t> numbers(count);
  SKUA_ASSIGN(Operation operation, begin_group_operation(*channel_, options, numbers));
  if (const auto begun = perform<Summary>(*channel_, std::move(operation)); !begun) {
    release_failed_begin(channel_, options, begun.error(), numbers);
    return begun.error();
  }
  std::vector<Transaction> group;
  for (const std::uint32_t number : numbers) {
    group.emplace_back(std::make_unique<OpenTransaction>(channel_, number, options.database));
  }
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
