// PostgresServer: a PostgreSQL cluster made for one run, with a server that listens on a Unix socket in the
// cluster's folder and nowhere else. Stopped by the destructor; the folder is the caller's to remove.
//
// PostgreSQL refuses to run as root: a run by root gives the cluster to the user postgres, or nobody. One
// thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "protocol/result.h"

namespace skua::bench {

// Where Debian has initdb and postgres.
inline constexpr const char* kPostgresPrograms = "/usr/lib/postgresql/15/bin";

class PostgresServer {
 public:
  // Starts nothing yet: a run without PostgreSQL's workloads does without it. `programs` holds initdb and
  // postgres, `folder` takes the cluster and must not exist.
  PostgresServer(std::string programs, std::string folder)
      : programs_(std::move(programs)), folder_(std::move(folder)) {}
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  // The first call makes the cluster and returns when the server answers; later ones return what came of it.
  Status start();
  // For PQconnectdb.
  std::string connection_string() const;
  // Of the postmaster; its children are the server's other processes. 0 if it does not run.
  pid_t pid() const { return pid_; }

 private:
  Status make_cluster();
  Status launch();
  Status wait_until_it_answers();
  // The last line that initdb or the server wrote.
  std::string last_words() const;

  std::string programs_;
  std::string folder_;
  pid_t pid_ = 0;
  std::optional<Status> started_;
};

}  // namespace skua::bench
