// AsyncRowStream::State, AsyncTransaction::State: the stream or transaction of the blocking client's making, and the place that it
// takes on its connection. Thread: the loop's.
#pragma once

#include <memory>
#include <utility>

#include "client/engine/link_pool.h"
#include "client/engine/loop.h"
#include "client/src/open_transaction.h"
#include "client/src/row_stream_state.h"
#include "skua/async_row_stream.h"
#include "skua/async_transaction.h"

namespace skua {

class AsyncRowStream::State {
 public:
  // `place` may be empty: within a transaction, which has one.
  State(Loop& its_loop, Slot place, std::unique_ptr<RowStream::State> its_rows)
      : loop(its_loop), slot(std::move(place)), rows(std::move(its_rows)) {}

  // The place is free once nothing more comes, though the rows may not have been looked at.
  void rest_if_finished() {
    if (rows->is_finished()) slot = Slot();
  }

  Loop& loop;
  Slot slot;
  std::unique_ptr<RowStream::State> rows;
};

class AsyncTransaction::State {
 public:
  State(Loop& its_loop, LinkPool& its_pool, Slot place, std::shared_ptr<Channel> channel, std::uint32_t number,
        std::string database)
      : loop(its_loop), pool(its_pool), slot(std::move(place)), open(std::move(channel), number, std::move(database)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (open.is_open()) pool.part(open, std::move(slot));
  }

  Loop& loop;
  LinkPool& pool;
  Slot slot;
  OpenTransaction open;
};

}  // namespace skua
