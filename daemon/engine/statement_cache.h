// StatementCache: a connection's prepared statements by SQL text, least recently used out first.
//
// A statement is leased to one user at a time; a second user of the same text gets one that is not kept. SQLite prepares
// anew by itself when the schema has changed. Belongs to its connection's thread.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/engine/statement.h"

namespace skua {

class StatementCache {
 public:
  explicit StatementCache(std::size_t entries_max) : entries_max_(entries_max) {}

  struct Entry {
    std::string sql;
    Statement statement;
    bool leased = false;
    bool kept = true;  // false: goes when its lease ends
  };

  // A statement in use. Ends with a reset and without bindings.
  class Lease {
   public:
    explicit Lease(Entry* entry) : entry_(entry) {}
    Lease(Lease&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Statement& operator*() const { return entry_->statement; }
    Statement* operator->() const { return &entry_->statement; }

   private:
    Entry* entry_;
  };

  // One that is there and free.
  std::optional<Lease> find(std::string_view sql);
  Result<Lease> lease(sqlite3* db, std::string_view sql);

 private:
  void evict();

  const std::size_t entries_max_;
  // Most recently used first. Entries do not move in memory.
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_sql_;
};

}  // namespace skua
