// StatementCache: a connection's prepared statements by SQL text, least recently used out first, bounded by their number and by
// the memory they take.
//
// A statement is leased to one user at a time; a second user of the same text gets one that is not kept, and so does one whose
// statement alone is larger than the cache. SQLite prepares anew by itself when the schema has changed. Belongs to its
// connection's thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "daemon/engine/statement.h"

namespace skua {

class Authorizer;

class StatementCache {
 public:
  // `authorizer`: of the connection, if it has one, from which is learnt what SQLite found when it prepared a statement anew.
  StatementCache(std::size_t entries_max, std::uint64_t bytes_max, const Authorizer* authorizer = nullptr)
      : entries_max_(entries_max), bytes_max_(bytes_max), authorizer_(authorizer) {}
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  struct Entry {
    std::string sql;
    Statement statement;
    bool leased = false;
    StatementCache* keeper = nullptr;  // null: goes when its lease ends
    std::size_t bytes = 0;
    int times_prepared_anew = 0;
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

  // What is kept takes so much, or did when it was last prepared.
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Entries = std::list<Entry>;

  // Until there is room for one more entry of so many bytes, or nothing is left but what is leased.
  void make_room(std::size_t entries, std::size_t bytes);
  // It has come back from its user, who made SQLite prepare it anew.
  void look_again(Entry& entry);

  const std::size_t entries_max_;
  const std::uint64_t bytes_max_;
  const Authorizer* const authorizer_;
  std::uint64_t bytes_ = 0;
  // Most recently used first. Entries do not move in memory.
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_sql_;
};

}  // namespace skua
