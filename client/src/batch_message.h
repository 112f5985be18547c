// Batch::Message: a row batch that was checked, and the message it lies in. Shared by the copies of a Batch.
#pragma once

#include <memory>
#include <utility>

#include "protocol/frame.h"
#include "protocol/row_batch.h"
#include "skua/batch.h"

namespace skua {

// A received message in memory of its own. Throws kj::Exception if it is malformed: make and read it in
// guarded().
class ReceivedMessage {
 public:
  explicit ReceivedMessage(Frame frame) : frame_(std::move(frame)), view_(frame_.view()) {}

  std::size_t byte_count() const { return frame_.byte_count(); }
  template <class Root>
  typename Root::Reader root() {
    return view_.root<Root>();
  }

 private:
  Frame frame_;
  MessageView view_;
};

class Batch::Message {
 public:
  Message(std::shared_ptr<const ReceivedMessage> message, RowBatchReader rows)
      : message_(std::move(message)), rows_(std::move(rows)) {}
  Message(Frame frame, RowBatchReader rows) : frame_(std::move(frame)), rows_(std::move(rows)) {}

  const RowBatchReader& rows() const { return rows_; }

 private:
  // Either of these two has the rows.
  std::shared_ptr<const ReceivedMessage> message_;
  Frame frame_;
  RowBatchReader rows_;
};

}  // namespace skua
