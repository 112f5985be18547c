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
    default: {
      const std::string said = first_line(PQresultErrorMessage(answer.get()));
      return said.empty() ? error() : make_error(ErrorCode::kSql, said);
    }
  }
}

}  // namespace skua::bench
