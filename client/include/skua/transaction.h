// Transaction: several statements that take effect together. Its destructor rolls back what was not committed.
//
//   auto transaction = connection.begin();
//   transaction->execute("UPDATE ...");
//   transaction->commit();
//
// After a failed statement the transaction goes on, as in SQLite, unless the error says ends_transaction():
// then everything but rollback() is refused. Belongs to its connection's thread and must not outlive the
// connection's use by more than its destructor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/result_set.h"
#include "skua/row_stream.h"

namespace skua {

class BulkWriter;
enum class SavepointAction : std::uint16_t;

class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  ~Transaction();

  Result<ResultSet> execute(std::string_view sql, const Parameters& parameters = {},
                            const RequestOptions& options = {});
  Result<RowStream> stream(std::string_view sql, const Parameters& parameters = {},
                           const RequestOptions& options = {});
  Result<Summary> execute_many(std::string_view sql, const ParameterRows& rows,
                               const RequestOptions& options = {});

  Status savepoint(std::string_view name);
  Status release(std::string_view name);
  Status rollback_to(std::string_view name);

  // As durable as begin() was asked for. kInDoubt if the connection was lost before the answer: the commit may
  // have happened.
  Status commit(const RequestOptions& options = {});
  Status rollback();

  // True until commit() or rollback() succeeded.
  bool is_open() const { return channel_ != nullptr; }
  std::uint32_t number() const { return number_; }

  // For the library's own use.
  Transaction(std::shared_ptr<Channel> channel, std::uint32_t number, std::string database);

 private:
  friend class BulkWriter;

  RequestOptions in_database(const RequestOptions& options) const;
  Status change_savepoint(std::string_view name, SavepointAction action);

  std::shared_ptr<Channel> channel_;
  std::uint32_t number_ = 0;
  std::string database_;
};

}  // namespace skua
