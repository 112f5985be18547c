#include "bench/peers/postgres_connection.h"

#include <endian.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <cstring>
#include <optional>

namespace skua::bench {

namespace {

constexpr int kBinary = 1;  // libpq's word for it

// libpq's messages end with a line feed, and may have several lines.
std::string first_line(const char* message) {
  const std::string_view text(message);
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

PostgresParameters& PostgresParameters::integer(std::int64_t value) {
  entries_.push_back({htobe64(static_cast<std::uint64_t>(value)), nullptr});
  lengths_.push_back(sizeof(value));
  formats_.push_back(kBinary);
  return *this;
}

PostgresParameters& PostgresParameters::text(std::string_view value) {
  entries_.push_back({0, value.data()});
  lengths_.push_back(static_cast<int>(value.size()));
  formats_.push_back(kBinary);
  return *this;
}

void PostgresParameters::clear() {
  entries_.clear();
  lengths_.clear();
  formats_.clear();
}

std::vector<const char*> PostgresParameters::values() const {
  std::vector<const char*> values;
  values.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    values.push_back(entry.text != nullptr ? entry.text : reinterpret_cast<const char*>(&entry.big_endian));
  }
  return values;
}

void PostgresConnection::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }
void PostgresConnection::Clear::operator()(pg_result* result) const { PQclear(result); }

Result<PostgresConnection> PostgresConnection::open(const PostgresServer& server) {
  PostgresConnection connection(PQconnectdb(server.connection_string().c_str()));
  if (PQstatus(connection.connection_.get()) == CONNECTION_OK) return connection;
  return make_error(ErrorCode::kConnect, first_line(PQerrorMessage(connection.connection_.get())));
}

Status PostgresConnection::execute(const std::string& sql) {
  const Answer answer(PQexec(connection_.get(), sql.c_str()));
  SKUA_TRY(outcome_of(answer));
  return {};
}

Result<std::int64_t> PostgresConnection::integer(const std::string& sql) {
  const Answer answer(PQexec(connection_.get(), sql.c_str()));
  SKUA_TRY(outcome_of(answer));
  if (PQntuples(answer.get()) != 1) return make_error(ErrorCode::kInternal, "not exactly one row: " + sql);
  return std::strtoll(PQgetvalue(answer.get(), 0, 0), nullptr, 10);
}

Status PostgresConnection::prepare(const std::string& name, const std::string& sql) {
  const Answer answer(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
  SKUA_TRY(outcome_of(answer));
  return {};
}

Result<PostgresConnection::Outcome> PostgresConnection::run(const std::string& name,
                                                            const PostgresParameters& parameters) {
  const Answer answer(PQexecPrepared(connection_.get(), name.c_str(), parameters.count(),
                                     parameters.values().data(), parameters.lengths(), parameters.formats(),
                                     kBinary));
  return outcome_of(answer);
}

Result<std::vector<PostgresConnection::Outcome>> PostgresConnection::run_pipelined(
    const std::vector<Execution>& executions) {
  pg_conn* connection = connection_.get();
  if (PQenterPipelineMode(connection) != 1) return error();
  for (const Execution& execution : executions) {
    const PostgresParameters& parameters = execution.parameters;
    if (PQsendQueryPrepared(connection, execution.name.c_str(), parameters.count(), parameters.values().data(),
                            parameters.lengths(), parameters.formats(), kBinary) != 1) {
      return error();
    }
  }
  if (PQpipelineSync(connection) != 1) return error();
  std::vector<Outcome> outcomes;
  std::optional<Error> failure;
  // Each execution's results end with a null; after the last one comes the answer to the sync, without a null.
  for (std::size_t i = 0; i < executions.size(); ++i) {
    for (Answer answer(PQgetResult(connection)); answer; answer.reset(PQgetResult(connection))) {
      Result<Outcome> outcome = outcome_of(answer);
      if (outcome) {
        outcomes.push_back(*outcome);
      } else if (!failure) {
        failure = outcome.error();
      }
    }
    if (PQstatus(connection) != CONNECTION_OK) return error();
  }
  const Answer synced(PQgetResult(connection));
  if (PQresultStatus(synced.get()) != PGRES_PIPELINE_SYNC || PQexitPipelineMode(connection) != 1)
    return error();
  if (failure) return *failure;
  return outcomes;
}

Result<PostgresRows> PostgresConnection::select(const std::string& name, const PostgresParameters& parameters) {
  PostgresRows rows(PQexecPrepared(connection_.get(), name.c_str(), parameters.count(), parameters.values().data(),
                                   parameters.lengths(), parameters.formats(), kBinary));
  if (PQresultStatus(rows.result_.get()) != PGRES_TUPLES_OK) return error_of(rows.result_.get());
  return rows;
}

Result<PostgresRows> PostgresConnection::select_once(const std::string& sql,
                                                     const PostgresParameters& parameters) {
  PostgresRows rows(PQexecParams(connection_.get(), sql.c_str(), parameters.count(), nullptr,
                                 parameters.values().data(), parameters.lengths(), parameters.formats(), kBinary));
  if (PQresultStatus(rows.result_.get()) != PGRES_TUPLES_OK) return error_of(rows.result_.get());
  return rows;
}

Status PostgresConnection::stream(const std::string& name, const std::function<void(const PostgresRows&)>& on_row) {
  pg_conn* connection = connection_.get();
  const bool sent =
      PQsendQueryPrepared(connection, name.c_str(), 0, nullptr, nullptr, nullptr, kBinary) == 1;
  if (!sent || PQsetSingleRowMode(connection) != 1) return error();
  Status status;
  while (pg_result* result = PQgetResult(connection)) {
    const PostgresRows rows(result);
    // The last one has no row.
    const ExecStatusType kind = PQresultStatus(result);
    if (kind == PGRES_SINGLE_TUPLE) {
      on_row(rows);
    } else if (kind != PGRES_TUPLES_OK && status) {
      status = error_of(result);
    }
  }
  return status;
}

Status PostgresConnection::select_pipelined(
    const std::string& name, const std::vector<PostgresParameters>& executions,
    const std::function<Status(std::size_t execution, const PostgresRows&)>& on_rows) {
  pg_conn* connection = connection_.get();
  if (PQpipelineStatus(connection) == PQ_PIPELINE_OFF && PQenterPipelineMode(connection) != 1) return error();
  for (const PostgresParameters& parameters : executions) {
    if (PQsendQueryPrepared(connection, name.c_str(), parameters.count(), parameters.values().data(),
                            parameters.lengths(), parameters.formats(), kBinary) != 1) {
      return error();
    }
  }
  if (PQpipelineSync(connection) != 1) return error();
  Status status;
  // As in run_pipelined().
  for (std::size_t i = 0; i < executions.size(); ++i) {
    while (pg_result* result = PQgetResult(connection)) {
      const PostgresRows rows(result);
      const bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
      Status handled = good ? on_rows(i, rows) : Status(error_of(result));
      if (status && !handled) status = std::move(handled);
    }
    if (PQstatus(connection) != CONNECTION_OK) return error();
  }
  const Answer synced(PQgetResult(connection));
  if (PQresultStatus(synced.get()) != PGRES_PIPELINE_SYNC) return error();
  return status;
}

Error PostgresConnection::error_of(const pg_result* result) const {
  const std::string said = first_line(PQresultErrorMessage(result));
  return said.empty() ? error() : make_error(ErrorCode::kSql, said);
}

Error PostgresConnection::error() const {
  return make_error(ErrorCode::kSql, first_line(PQerrorMessage(connection_.get())));
}

Result<PostgresConnection::Outcome> PostgresConnection::outcome_of(const Answer& answer) const {
  Outcome outcome;
  switch (PQresultStatus(answer.get())) {
    case PGRES_COMMAND_OK:
      outcome.rows = std::strtoll(PQcmdTuples(answer.get()), nullptr, 10);
      return outcome;
    case PGRES_TUPLES_OK:
      outcome.rows = PQntuples(answer.get());
      if (outcome.rows > 0 && PQgetlength(answer.get(), 0, 0) == sizeof(std::uint64_t)) {
        std::uint64_t big_endian = 0;
        std::memcpy(&big_endian, PQgetvalue(answer.get(), 0, 0), sizeof(big_endian));
        outcome.integer = static_cast<std::int64_t>(be64toh(big_endian));
      }
      return outcome;
    default:
      return error_of(answer.get());
  }
}

}  // namespace skua::bench
