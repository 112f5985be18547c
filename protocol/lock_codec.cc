#include "protocol/lock_codec.h"

#include "protocol/codec.h"

namespace skua {

namespace {

kj::uint size_of(std::string_view text) { return static_cast<kj::uint>(text.size()); }

void write_peer(const LockPeer& peer, wire::Peer::Builder out) {
  out.setSession(peer.session);
  out.setPid(peer.pid);
  out.setUid(peer.uid);
  fill_text(out.initCommand(size_of(peer.command)), peer.command);
  fill_text(out.initClientName(size_of(peer.client_name)), peer.client_name);
}

LockPeer read_peer(wire::Peer::Reader in) {
  return {in.getSession(), in.getPid(), in.getUid(), std::string(view_of(in.getCommand())),
          std::string(view_of(in.getClientName()))};
}

void write_holder(const LockHolder& holder, wire::LockHolder::Builder out) {
  if (holder.peer) write_peer(*holder.peer, out.initPeer());
  out.setTransaction(holder.transaction);
  out.setInTransaction(holder.in_transaction);
  out.setHeldUs(holder.held_us);
  out.setIdleUs(holder.idle_us);
  fill_text(out.initFirstSql(size_of(holder.first_sql)), holder.first_sql);
  fill_text(out.initLastSql(size_of(holder.last_sql)), holder.last_sql);
  out.setRequests(holder.requests);
}

LockHolder read_holder(wire::LockHolder::Reader in) {
  LockHolder holder;
  if (in.hasPeer()) holder.peer = read_peer(in.getPeer());
  holder.in_transaction = in.getInTransaction();
  holder.transaction = in.getTransaction();
  holder.held_us = in.getHeldUs();
  holder.idle_us = in.getIdleUs();
  holder.first_sql = std::string(view_of(in.getFirstSql()));
  holder.last_sql = std::string(view_of(in.getLastSql()));
  holder.requests = in.getRequests();
  return holder;
}

void write_waiter(const LockWaiter& waiter, wire::LockWaiter::Builder out) {
  if (waiter.peer) write_peer(*waiter.peer, out.initPeer());
  out.setWaitedUs(waiter.waited_us);
  fill_text(out.initSql(size_of(waiter.sql)), waiter.sql);
  out.setOpensTransaction(waiter.opens_transaction);
}

LockWaiter read_waiter(wire::LockWaiter::Reader in) {
  LockWaiter waiter;
  if (in.hasPeer()) waiter.peer = read_peer(in.getPeer());
  waiter.waited_us = in.getWaitedUs();
  waiter.sql = std::string(view_of(in.getSql()));
  waiter.opens_transaction = in.getOpensTransaction();
  return waiter;
}

}  // namespace

void write_locks(const std::vector<DatabaseLock>& locks, wire::Locks::Builder out) {
  auto databases = out.initDatabases(static_cast<kj::uint>(locks.size()));
  for (kj::uint i = 0; i < databases.size(); ++i) {
    const DatabaseLock& lock = locks[i];
    fill_text(databases[i].initDatabase(size_of(lock.database)), lock.database);
    if (lock.holder) write_holder(*lock.holder, databases[i].initHolder());
    auto waiting = databases[i].initWaiting(static_cast<kj::uint>(lock.waiting.size()));
    for (kj::uint j = 0; j < waiting.size(); ++j) write_waiter(lock.waiting[j], waiting[j]);
    databases[i].setWaitingCount(lock.waiting_count);
  }
}

std::vector<DatabaseLock> read_locks(wire::Locks::Reader in) {
  std::vector<DatabaseLock> locks;
  for (const auto database : in.getDatabases()) {
    DatabaseLock lock;
    lock.database = std::string(view_of(database.getDatabase()));
    if (database.hasHolder()) lock.holder = read_holder(database.getHolder());
    for (const auto waiter : database.getWaiting()) lock.waiting.push_back(read_waiter(waiter));
    lock.waiting_count = database.getWaitingCount();
    locks.push_back(std::move(lock));
  }
  return locks;
}

}  // namespace skua
