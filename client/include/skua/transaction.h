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
#include "skua/queries.h"
#include "skua/result_set.h"
#include "skua/row_stream.h"

namespace skua {

class BulkWriter;
class OpenTransaction;
enum class SavepointAction : std::uint16_t;

class Transaction : public Queries<Transaction> {
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
  bool is_open() const;
  std::uint32_t number() const;

  // For the library's own use.
  explicit Transaction(std::unique_ptr<OpenTransaction> open);

 private:
  friend class BulkWriter;

  Status check_open() const;
  Status change_savepoint(std::string_view name, SavepointAction action);

  // Null after a move.
  std::unique_ptr<OpenTransaction> open_;
};

}  // namespace skua
