// Connection: one session with the daemon, blocking.
//
// A connection and everything it hands out (streams, transactions) belong to one thread at a time; only a
// Canceller may be used from elsewhere. No function throws. docs/PROTOCOL.md describes what travels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "protocol/locks.h"
#include "skua/backup.h"
#include "skua/bulk_writer.h"
#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/program.h"
#include "skua/queries.h"
#include "skua/result_set.h"
#include "skua/row_stream.h"
#include "skua/transaction.h"

namespace skua {

// $SKUA_SOCKET, else $XDG_RUNTIME_DIR/skua/skua.sock, else /run/skua/skua.sock.
std::string default_socket_path();

// What the daemon said of itself when the session began.
struct ServerInfo {
  std::string server_version;
  std::string sqlite_version;
  std::uint64_t session_id = 0;
  std::vector<std::string> databases;
};

// What a statement would give and take, without executing it.
struct Description {
  Columns columns;
  std::vector<std::string> parameters;  // with their prefix; empty for a `?`
  bool read_only = false;               // changes nothing
};

// Cancels the request its connection is waiting for; if it waits for none, then the stream or bulk write under
// way that is waited for next; else nothing: a request that starts later is not concerned. May be called from
// any thread and from a signal handler, also after the connection is gone.
class Canceller {
 public:
  // Returns at once; what is cancelled ends soon, with kCancelled.
  void cancel() const noexcept;

  // For the library's own use.
  struct Bell;
  explicit Canceller(std::shared_ptr<Bell> bell) : bell_(std::move(bell)) {}

 private:
  std::shared_ptr<Bell> bell_;
};

class Connection : public Queries<Connection> {
 public:
  // kConnect: nobody answers there; kVersion: no common protocol version; kAccess: refused to this user.
  static Result<Connection> connect(const ConnectOptions& options = {});
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Exactly one statement, all of its rows.
  Result<ResultSet> execute(std::string_view sql, const Parameters& parameters = {},
                            const RequestOptions& options = {});
  // Exactly one statement, its rows as they come.
  Result<RowStream> stream(std::string_view sql, const Parameters& parameters = {},
                           const RequestOptions& options = {});
  // One statement for each row of parameters, all in one transaction, unless options.independent.
  Result<Summary> execute_many(std::string_view sql, const ParameterRows& rows,
                               const RequestOptions& options = {});
  // Several statements in one round trip.
  Result<ProgramResult> run(const Program& program, const RequestOptions& options = {});
  // kWrite waits for its turn at the writer, kRead takes a snapshot.
  Result<Transaction> begin(TransactionMode mode = TransactionMode::kWrite, const RequestOptions& options = {});
  // Runs body(transaction), a Result<T> or Status, and commits if it succeeds; rolls back and passes the error on if it fails.
  template <class Body>
  std::invoke_result_t<Body&, Transaction&> in_transaction(Body body, TransactionMode mode = TransactionMode::kWrite,
                                                           const RequestOptions& options = {}) {
    SKUA_ASSIGN(Transaction transaction, begin(mode, options));
    auto result = body(transaction);
    if (result && transaction.is_open()) SKUA_TRY(transaction.commit());
    // Otherwise its destructor rolls back.
    return result;
  }
  // That many read transactions that see exactly the same state of the database, whatever is written meanwhile: all or none.
  // Each is then one like any other. kVersion: the daemon is too old for it.
  Result<std::vector<Transaction>> begin_group(std::size_t count, const RequestOptions& options = {});
  // The statement is prepared, not executed.
  Result<Description> describe(std::string_view sql, const RequestOptions& options = {});
  // The daemon's counters: rows of (name, value).
  Result<ResultSet> stats(const RequestOptions& options = {});
  // Who has the writer of each database, and who waits for it; of one only if the options or the connection name a
  // database. Answered at once, also while everything else waits.
  Result<std::vector<DatabaseLock>> locks(const RequestOptions& options = {});
  // A consistent copy of the database in a new file, while others go on to write. The file appears when it is complete and
  // synced; before that, and after an error, there is none.
  Result<BackupSummary> backup(const std::string& file, const BackupOptions& backup = {},
                               const RequestOptions& options = {});
  // A round trip without SQL.
  Status ping(const RequestOptions& options = {});

  // Any number of them; they may outlive the connection.
  Canceller canceller() const;
  // What the daemon said of itself.
  const ServerInfo& server() const;
  // False once the connection was lost; everything fails with kLost then.
  bool is_open() const;

  // For the library's own use.
  explicit Connection(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

 private:
  friend class BulkWriter;

  std::shared_ptr<Channel> channel_;
};

}  // namespace skua
