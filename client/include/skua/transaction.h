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

  // Exactly one statement, all of its rows.
  Result<ResultSet> execute(std::string_view sql, const Parameters& parameters = {},
                            const RequestOptions& options = {});
  // Exactly one statement, its rows as they come.
  Result<RowStream> stream(std::string_view sql, const Parameters& parameters = {},
                           const RequestOptions& options = {});
  // One statement for each row of parameters; after an error none of them has taken effect.
  Result<Summary> execute_many(std::string_view sql, const ParameterRows& rows,
                               const RequestOptions& options = {});

  // A savepoint of that name, at most 256 bytes; 64 in a transaction. release() keeps what came after it and forgets it,
  // rollback_to() undoes what came after it and keeps it.
  Status savepoint(std::string_view name);
  Status release(std::string_view name);
  Status rollback_to(std::string_view name);

  // As durable as begin() was asked for. kInDoubt if the connection was lost before the answer: the commit may
  // have happened.
  Status commit(const RequestOptions& options = {});
  // Undoes all of it. Also for a transaction that the daemon has rolled back.
  Status rollback();

  // True until commit() or rollback() succeeded.
  bool is_open() const;
  // What `skua locks` and echo call it.
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
