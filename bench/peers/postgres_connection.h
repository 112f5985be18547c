// PostgresConnection: one libpq connection, with prepared statements. Parameters and results are binary.
// PostgresParameters: what one execution is given.
//
// One thread; opened in the process that uses it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/peers/postgres_rows.h"
#include "bench/peers/postgres_server.h"
#include "protocol/result.h"

struct pg_conn;
struct pg_result;

namespace skua::bench {

// Made once and filled anew for each execution.
class PostgresParameters {
 public:
  // A statement's parameter of type bigint.
  PostgresParameters& integer(std::int64_t value);
  // A statement's parameter of type text. The bytes must outlive the execution.
  PostgresParameters& text(std::string_view value);
  void clear();

  int count() const { return static_cast<int>(lengths_.size()); }
  std::vector<const char*> values() const;
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  struct Entry {
    std::uint64_t big_endian = 0;
    const char* text = nullptr;  // if null, `big_endian` is the value
  };
  std::vector<Entry> entries_;
  std::vector<int> lengths_;
  std::vector<int> formats_;  // all binary
};

class PostgresConnection {
 public:
  static Result<PostgresConnection> open(const PostgresServer& server);

  // Any number of statements, without parameters.
  Status execute(const std::string& sql);
  // The only value of the only row, which must be a number.
  Result<std::int64_t> integer(const std::string& sql);
  Status prepare(const std::string& name, const std::string& sql);

  // One execution of a prepared statement, and what it came to.
  struct Outcome {
    std::int64_t rows = 0;     // returned, or changed
    std::int64_t integer = 0;  // the first value of the first row if it is a bigint, else 0
  };
  Result<Outcome> run(const std::string& name, const PostgresParameters& parameters);

  struct Execution {
    std::string name;
    PostgresParameters parameters;
  };
  // All of them in one round trip; libpq calls it pipeline mode. The first error is the result, and nothing
  // after it was run.
  Result<std::vector<Outcome>> run_pipelined(const std::vector<Execution>& executions);

  // One execution of a prepared statement that returns rows, all at once.
  Result<PostgresRows> select(const std::string& name, const PostgresParameters& parameters);
  // The same for a statement that is not prepared yet, in one round trip.
  Result<PostgresRows> select_once(const std::string& sql, const PostgresParameters& parameters);
  // select() row by row as they come; libpq calls it single-row mode. Each call has one row.
  Status stream(const std::string& name, const std::function<void(const PostgresRows&)>& on_row);
  // select() for several executions in one round trip: the rows of each as they come, in their order. This connection
  // stays in pipeline mode, in which only this function can be called.
  Status select_pipelined(const std::string& name, const std::vector<PostgresParameters>& executions,
                          const std::function<Status(std::size_t execution, const PostgresRows&)>& on_rows);

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  struct Clear {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Clear>;

  explicit PostgresConnection(pg_conn* connection) : connection_(connection) {}
  Error error() const;
  Error error_of(const pg_result* result) const;
  Result<Outcome> outcome_of(const Answer& answer) const;

  std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace skua::bench
