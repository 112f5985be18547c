#include "skua/bulk_writer.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "client/src/channel.h"
#include "client/src/open_transaction.h"
#include "client/src/operation.h"
#include "protocol/limits.h"
#include "skua/connection.h"

namespace skua {

namespace {

// Large enough that the round trip does not matter, small enough that the daemon starts early.
constexpr std::size_t kBulkBatchBytes = 128 * kKiB;
// One being executed, one that waits for it, and two on their way.
constexpr std::size_t kBatchesUnderWayMax = 4;

}  // namespace

class BulkWriter::State {
 public:
  // Without a transaction, 0, the options must say that the rows are independent.
  State(std::shared_ptr<Channel> channel, std::uint32_t transaction, RequestOptions options, std::string sql,
        std::size_t column_count)
      : channel_(std::move(channel)),
        transaction_(transaction),
        options_(std::move(options)),
        sql_(std::move(sql)),
        rows_(column_count),
        rings_heard_(channel_ == nullptr ? 0 : channel_->ring_count()) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { abandon_all(); }

  void append(const ValueView& value) {
    if (!error_) rows_.append(value);
  }

  Status end_row() {
    if (error_) return *error_;
    rows_.end_row();
    ++row_count_;
    if (rows_.byte_count() < kBulkBatchBytes && rows_.row_count() < kBatchRowsMax) return {};
    return noted(send_batch());
  }

  Result<Summary> finish() {
    if (rows_.row_count() > 0) SKUA_TRY(noted(send_batch()));
    if (error_) return *error_;
    while (!under_way_.empty()) SKUA_TRY(noted(receive_first()));
    return summary_;
  }

  std::uint64_t row_count() const { return row_count_; }

 private:
  struct Sent {
    std::uint64_t id;
    std::uint64_t first_row;
    std::uint64_t row_count;
    Observation observation;
  };

  // The first error is the writer's last word: nothing more is sent, and what is under way is cancelled.
  Status noted(Status status) {
    if (status) return status;
    if (!error_) {
      error_ = std::move(status).error();
      if (options_.independent) error_->row = std::max(error_->row, static_cast<std::int64_t>(rows_done_));
      rows_.clear();
      abandon_all();
    }
    return *error_;
  }

  Status send_batch() {
    if (error_) return *error_;
    if (channel_ == nullptr) return make_error(ErrorCode::kUsage, "the transaction has ended");
    SKUA_TRY(receive_answered());
    // Outside of a transaction requests have no order, and rows behind one that failed must not be committed.
    const std::size_t under_way_max = options_.independent ? 1 : kBatchesUnderWayMax;
    while (under_way_.size() >= under_way_max) SKUA_TRY(receive_first());
    SKUA_TRY(check_bell());
    SKUA_ASSIGN(Operation operation, execute_many_operation(*channel_, sql_, rows_, options_, transaction_));
    SKUA_ASSIGN(const std::uint64_t id, channel_->start(std::move(operation.request)));
    under_way_.push_back({id, row_count_ - rows_.row_count(), rows_.row_count(), std::move(operation.observation)});
    rows_.clear();
    return {};
  }

  Status receive_answered() {
    channel_->progress();
    while (!under_way_.empty() && channel_->has_response(under_way_.front().id)) SKUA_TRY(receive_first());
    return {};
  }

  Status receive_first() {
    Sent sent = std::move(under_way_.front());
    under_way_.pop_front();
    Result<Summary> summary = conclude<Summary>(*channel_, sent.observation, channel_->receive(sent.id));
    if (!summary) {
      Error error = std::move(summary).error();
      if (error.row >= 0) error.row += static_cast<std::int64_t>(sent.first_row);
      return error;
    }
    rows_done_ = sent.first_row + sent.row_count;
    summary_.changes += summary->changes;
    summary_.row_count += summary->row_count;
    summary_.server_us += summary->server_us;
    summary_.transaction = summary->transaction;
    if (summary->last_insert_rowid != 0) summary_.last_insert_rowid = summary->last_insert_rowid;
    return check_bell();
  }

  // A cancel concerns the whole sequence, also when it came between two batches or too late for one.
  Status check_bell() {
    if (channel_->ring_count() == rings_heard_) return {};
    return make_error(ErrorCode::kCancelled, "cancelled by the client");
  }

  void abandon_all() {
    for (const Sent& sent : under_way_) channel_->abandon(sent.id);
    under_way_.clear();
  }

  std::shared_ptr<Channel> channel_;
  std::uint32_t transaction_;
  RequestOptions options_;
  std::string sql_;
  ParameterRows rows_;
  std::deque<Sent> under_way_;
  std::uint32_t rings_heard_;
  std::uint64_t row_count_ = 0;
  std::uint64_t rows_done_ = 0;  // answered
  Summary summary_;
  std::optional<Error> error_;
};

BulkWriter::BulkWriter(Transaction& transaction, std::string sql, std::size_t column_count)
    : state_(std::make_unique<State>(transaction.is_open() ? transaction.open_->channel() : nullptr, transaction.number(),
                                     transaction.is_open() ? transaction.open_->complete({}) : RequestOptions(),
                                     std::move(sql), column_count)) {}

BulkWriter::BulkWriter(Connection& connection, std::string sql, std::size_t column_count, RequestOptions options) {
  options.independent = true;
  state_ = std::make_unique<State>(connection.channel_, 0, std::move(options), std::move(sql), column_count);
}

BulkWriter::BulkWriter(BulkWriter&&) noexcept = default;
BulkWriter& BulkWriter::operator=(BulkWriter&&) noexcept = default;
BulkWriter::~BulkWriter() = default;

void BulkWriter::append(const ValueView& value) { state_->append(value); }
Status BulkWriter::end_row() { return state_->end_row(); }
Result<Summary> BulkWriter::finish() { return state_->finish(); }
std::uint64_t BulkWriter::row_count() const { return state_->row_count(); }

}  // namespace skua
