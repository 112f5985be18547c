// OpenTransaction: a transaction that the daemon has under a number of this session, until it ends. Its destructor rolls back
// what has not ended, without waiting for the answer.
//
// What Transaction and AsyncTransaction have in common, but for the waiting. Thread: the channel's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "client/src/channel.h"
#include "client/src/operation.h"
#include "skua/options.h"

namespace skua {

class OpenTransaction {
 public:
  OpenTransaction(std::shared_ptr<Channel> channel, std::uint32_t number, std::string database)
      : channel_(std::move(channel)), number_(number), database_(std::move(database)) {}
  OpenTransaction(const OpenTransaction&) = delete;
  OpenTransaction& operator=(const OpenTransaction&) = delete;
  ~OpenTransaction();

  // Null after the end.
  const std::shared_ptr<Channel>& channel() const { return channel_; }
  bool is_open() const { return channel_ != nullptr; }
  std::uint32_t number() const { return number_; }

  // kUsage after the end.
  Status check_open() const;
  // With the transaction's database, if they name none.
  RequestOptions complete(const RequestOptions& options) const;
  Result<Operation> execute_many(std::string_view sql, const ParameterRows& rows, const RequestOptions& options);
  Result<Operation> change_savepoint(std::string_view name, SavepointAction action);
  Result<Operation> commit(const RequestOptions& options);
  Result<Operation> rollback();
  // Commit or rollback was answered well.
  void end() { channel_.reset(); }
  // As the destructor, for a driver: the watcher is told when it is over. False: there is nothing to roll back.
  bool roll_back_unheard(Channel::Watcher& watcher);

 private:
  std::shared_ptr<Channel> channel_;
  std::uint32_t number_;
  std::string database_;
};

// After a begin that failed: the daemon keeps the numbers of a begin that it took up until it hears rollback.
void release_failed_begin(const std::shared_ptr<Channel>& channel, const RequestOptions& options, const Error& error,
                          std::span<const std::uint32_t> numbers);

}  // namespace skua
