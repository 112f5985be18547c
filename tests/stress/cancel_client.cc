#include "tests/stress/cancel_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/codec.h"
#include "protocol/row_batch.h"
#include "tests/support/failure.h"

namespace skua::stress {

namespace {

constexpr std::int64_t kOperationsPerClientMax = 100'000'000;
constexpr std::uint32_t kWindowBytes = 16 * 1024;

// Rows as large as they are many, so that a stream has some ten batches.
constexpr std::string_view kStreamSql = "SELECT id, value, text FROM item";
constexpr std::string_view kInsertSql = "INSERT INTO entry(operation, number) VALUES (?, ?)";
// Moves money in one statement, so that no half of it can be missing.
constexpr std::string_view kTransferSql =
    "UPDATE account SET balance = balance + CASE id WHEN ?1 THEN -?3 ELSE ?3 END WHERE id IN (?1, ?2)";

std::int64_t sum_to(std::int64_t n) { return n * (n + 1) / 2; }

void expect(bool condition, std::string_view what, const Ending& ending) {
  test::require(condition, fmt::format("{}: {} rows, sums {} and {}", what, ending.rows, ending.sums[0], ending.sums[1]));
}

}  // namespace

struct CancelClient::Together {
  std::uint32_t transaction = 0;
  std::int64_t operation = 0;
  bool keeps = false;  // after an error, the others
  bool read_only = false;
  std::size_t under_way = 0;
  std::int64_t inserted = 0;
  bool committed = false;
  bool all_sent = false;
  // A request ended by itself, and others with it.
  bool any_stopped = false;
  bool any_aborted = false;
};

CancelClient::CancelClient(const std::string& socket_path, Ledger& ledger, std::uint64_t seed, Schedule schedule)
    : pipeline_(socket_path),
      ledger_(ledger),
      random_(seed),
      schedule_(std::move(schedule)),
      last_operation_(static_cast<std::int64_t>(seed % 10'000) * kOperationsPerClientMax) {}

void CancelClient::create_tables(Pipeline& pipeline) {
  const auto must = [](const Ending& ending) { test::require(!ending.error, "creating the tables"); };
  pipeline.execute("CREATE TABLE item(id INTEGER PRIMARY KEY, value INTEGER, text TEXT)", {}, must);
  pipeline.execute(
      "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
      "SELECT i, i * 7, printf('%.*c', 200, 'x') FROM n",
      {kItems}, must);
  pipeline.execute("CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER)", {}, must);
  pipeline.execute("INSERT INTO account SELECT id, 1000 FROM item WHERE id <= ?", {kAccounts}, must);
  pipeline.execute("CREATE TABLE entry(operation INTEGER, number INTEGER)", {}, must);
  pipeline.wait_for_all();
}

void CancelClient::act() {
  switch (between(0, 15)) {
    case 0:
    case 1: return points();
    case 2: return range();
    case 3: return scan();
    case 4:
    case 5: return endless();
    case 6:
    case 7: return stream(0, Work::kStream, {});
    case 8:
    case 9: return write();
    case 10: return many(false);
    case 11: return many(true);
    case 12: return program();
    case 13:
    case 14: return write_transaction();
    default: return read_transaction();
  }
}

CancelClient::Fate CancelClient::draw_fate(bool is_certain) {
  Fate fate;
  fate.cancelled = random_.one_in(3);
  if (random_.one_in(3) || (is_certain && !fate.cancelled)) fate.deadline_ms = static_cast<std::uint32_t>(between(1, 200));
  return fate;
}

std::uint64_t CancelClient::start(Work work, Fate fate, std::uint32_t transaction, const Pipeline::Fill& fill, Check check,
                                  Granting granting) {
  const std::uint64_t id = pipeline_.start(
      [&](wire::Request::Builder root) {
        root.setTransaction(transaction);
        root.setDeadlineMs(fate.deadline_ms);
        fill(root);
      },
      [this, work, fate, transaction, check = std::move(check)](const Ending& ending) {
        count(work, fate, ending, transaction != 0);
        if (check) check(ending);
      },
      granting);
  if (fate.deadline_ms != 0) ++ledger_.deadlines;
  if (fate.cancelled) cancel_soon(id);
  return id;
}

std::uint64_t CancelClient::execute(Work work, std::string_view sql, std::initializer_list<std::int64_t> parameters,
                                    Check check) {
  return start(
      work, draw_fate(false), 0, [&](wire::Request::Builder root) { fill_execute(root, sql, parameters); }, std::move(check));
}

void CancelClient::cancel_soon(std::uint64_t id) {
  ++ledger_.cancels;
  // In the same write, at once, or in a while.
  const std::int64_t most_us = std::int64_t{1} << between(0, 16);
  if (random_.one_in(5)) return pipeline_.cancel(id);
  schedule_(std::chrono::microseconds(between(0, most_us)), [this, id] {
    pipeline_.cancel(id);
    pipeline_.flush();
  });
}

void CancelClient::count(Work work, const Fate& fate, const Ending& ending, bool in_transaction) {
  Outcomes& outcomes = ledger_.outcomes[static_cast<std::size_t>(work)];
  ++outcomes.requests;
  const auto us = [](Clock::duration duration) {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
  };
  if (!ending.error) {
    ++outcomes.done;
    if (fate.cancelled || fate.deadline_ms != 0) ++outcomes.too_late;
    return;
  }
  const std::string text = fmt::format("{}: {}", kWorkNames[static_cast<std::size_t>(work)], ending.error->message);
  switch (ending.error->code) {
    case ErrorCode::kCancelled:
      test::require(ending.since_cancel.has_value(), "ended as cancelled, and nobody cancelled it: " + text);
      ledger_.cancel_us.push_back(us(*ending.since_cancel));
      ++outcomes.cancelled;
      return;
    case ErrorCode::kDeadline:
      test::require(fate.deadline_ms != 0, "ended for a deadline that it did not have: " + text);
      test::require(ending.took >= std::chrono::milliseconds(fate.deadline_ms), "before its deadline: " + text);
      ledger_.late_us.push_back(us(ending.took - std::chrono::milliseconds(fate.deadline_ms)));
      ++outcomes.deadlines;
      return;
    case ErrorCode::kTransactionAborted:
      test::require(in_transaction, "outside of a transaction: " + text);
      ++outcomes.aborted;
      return;
    case ErrorCode::kLimit:
      // What the budget of the write-ahead log allows for: a snapshot that others' writes have left far behind is ended. A stream has
      // a second to be put into its spool, which is too short where other programs take the cores.
      test::require((work == Work::kInRead || work == Work::kStream) && text.find("wal_bytes_max") != std::string::npos,
                    "a limit nobody passed: " + text);
      ++outcomes.aborted;
      return;
    default: throw test::Failure(fmt::format("an error nobody asked for: {} ({})", text, to_string(ending.error->code)));
  }
}

void CancelClient::points() {
  // Sometimes many in one write.
  const std::int64_t times = random_.one_in(4) ? 30 : 2;
  for (std::int64_t i = 0; i < times; ++i) {
    const std::int64_t item = between(1, kItems);
    execute(Work::kPoint, "SELECT id, value, text FROM item WHERE id = ?", {item}, [item](const Ending& ending) {
      if (ending.error) return;
      expect(ending.rows == 1 && ending.sums[0] == item && ending.sums[1] == 7 * item, "a wrong item", ending);
    });
  }
}

void CancelClient::range() {
  const std::int64_t first = between(1, kItems);
  const std::int64_t last = between(first, kItems);
  execute(Work::kRange, "SELECT count(*), sum(value) FROM item WHERE id BETWEEN ? AND ?", {first, last},
          [first, last](const Ending& ending) {
            if (ending.error) return;
            expect(ending.sums[0] == last - first + 1 && ending.sums[1] == 7 * (sum_to(last) - sum_to(first - 1)),
                   "a wrong range", ending);
          });
}

void CancelClient::scan() {
  const std::int64_t n = between(50, 700);
  execute(Work::kScan, "SELECT sum(a.id * b.id) FROM item a, item b WHERE a.id <= ?1 AND b.id <= ?1", {n},
          [n](const Ending& ending) {
            if (!ending.error) expect(ending.sums[0] == sum_to(n) * sum_to(n), "a wrong join", ending);
          });
}

void CancelClient::endless() {
  static constexpr std::array<std::string_view, 3> kSql = {
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, item WHERE text LIKE '%y%'",
      "SELECT count(*) FROM item a, item b, item c, item d WHERE a.value + b.value + c.value + d.value < 0"};
  const std::string_view sql = kSql[static_cast<std::size_t>(between(0, 2))];
  start(
      Work::kEndless, draw_fate(true), 0, [&](wire::Request::Builder root) { fill_execute(root, sql, {}); },
      [](const Ending& ending) { expect(ending.error.has_value(), "the end of what has none", ending); });
}

void CancelClient::stream(std::uint32_t transaction, Work work, Check check) {
  const auto granting = static_cast<Granting>(between(0, 2));
  // Whom nobody reads has to be ended.
  const Fate fate = draw_fate(granting == Granting::kNever);
  const std::uint64_t id = start(
      work, fate, transaction, [&](wire::Request::Builder root) { fill_execute(root, kStreamSql, {}, kWindowBytes); },
      [check = std::move(check)](const Ending& ending) {
        if (!ending.error) {
          expect(ending.rows == kItems && ending.sums[0] == sum_to(kItems) && ending.sums[1] == 7 * sum_to(kItems),
                 "a wrong stream", ending);
        }
        if (check) check(ending);
      },
      granting);
  if (granting == Granting::kByHand) grant_slowly(id);
}

void CancelClient::grant_slowly(std::uint64_t id) {
  schedule_(std::chrono::microseconds(between(100, 20'000)), [this, id] {
    if (!pipeline_.is_under_way(id)) return;
    pipeline_.grant(id);
    pipeline_.flush();
    grant_slowly(id);
  });
}

void CancelClient::write() {
  const std::int64_t operation = ++last_operation_;
  execute(Work::kWrite, kInsertSql, {operation, 1},
          [this, operation](const Ending& ending) { ledger_.rows[operation] = ending.error ? 0 : 1; });
}

void CancelClient::many(bool in_slices) {
  const std::int64_t operation = ++last_operation_;
  const std::int64_t count = in_slices ? between(1, 3'000) : between(1, 100);
  RowBatchBuilder rows(2);
  for (std::int64_t i = 0; i < count; ++i) {
    rows.append_integer(operation);
    rows.append_integer(i);
    rows.end_row();
  }
  start(
      in_slices ? Work::kSlices : Work::kMany, draw_fate(false), 0,
      [&](wire::Request::Builder root) {
        auto many = root.initExecuteMany();
        fill_text(many.initSql(static_cast<unsigned>(kInsertSql.size())), kInsertSql);
        rows.write(many.initRows());
        many.setIndependent(in_slices);
      },
      [this, operation, count, in_slices](const Ending& ending) {
        std::int64_t left = ending.error ? 0 : count;
        // Of slices the error says how many rows are done.
        if (ending.error && in_slices) left = std::max<std::int64_t>(ending.error->row, 0);
        ledger_.rows[operation] = left;
      });
}

void CancelClient::program() {
  const std::int64_t operation = ++last_operation_;
  const std::int64_t source = between(1, kAccounts - 1);
  const std::string sql[] = {
      fmt::format("UPDATE account SET balance = balance - 1 WHERE id = {}", source),
      fmt::format("UPDATE account SET balance = balance + 1 WHERE id = {}", source + 1),
      fmt::format("INSERT INTO entry(operation, number) VALUES ({}, 1)", operation)};
  start(
      Work::kProgram, draw_fate(false), 0,
      [&](wire::Request::Builder root) {
        auto steps = root.initProgram().initSteps(3);
        for (unsigned i = 0; i < 3; ++i) fill_text(steps[i].initSql(static_cast<unsigned>(sql[i].size())), sql[i]);
      },
      [this, operation](const Ending& ending) { ledger_.rows[operation] = ending.error ? 0 : 1; });
}

void CancelClient::add(const std::shared_ptr<Together>& together, const Pipeline::Fill& fill, Check check) {
  ++together->under_way;
  const Fate fate = random_.one_in(4) ? draw_fate(false) : Fate{};
  start(together->read_only ? Work::kInRead : Work::kInWrite, fate, together->transaction, fill,
        [this, together, check = std::move(check)](const Ending& ending) {
          if (ending.error) {
            (ending.error->code == ErrorCode::kTransactionAborted ? together->any_aborted : together->any_stopped) = true;
          }
          check(ending);
          --together->under_way;
          settle(together);
        });
}

void CancelClient::begin(const std::shared_ptr<Together>& together, bool read_only) {
  together->transaction = ++last_transaction_;
  together->keeps = random_.one_in(2);
  together->read_only = read_only;
  add(
      together,
      [&](wire::Request::Builder root) {
        auto begin = root.initBegin();
        begin.setMode(read_only ? wire::TransactionMode::READ : wire::TransactionMode::WRITE);
        begin.setOnError(together->keeps ? wire::TransactionErrorMode::KEEP : wire::TransactionErrorMode::ABORT);
      },
      [](const Ending&) {});
}

void CancelClient::write_transaction() {
  const auto together = std::make_shared<Together>();
  const std::int64_t operation = ++last_operation_;
  together->operation = operation;
  begin(together, false);
  const std::int64_t inserts = between(1, 4);
  for (std::int64_t i = 0; i < inserts; ++i) {
    add(
        together, [&](wire::Request::Builder root) { fill_execute(root, kInsertSql, {operation, i}); },
        [together](const Ending& ending) { together->inserted += ending.error ? 0 : 1; });
  }
  const std::int64_t source = between(1, kAccounts - 1);
  add(
      together, [&](wire::Request::Builder root) { fill_execute(root, kTransferSql, {source, source + 1, between(1, 9)}); },
      [](const Ending&) {});
  add(
      together, [&](wire::Request::Builder root) { fill_execute(root, "SELECT sum(balance), 0 FROM account", {}); },
      [](const Ending& ending) {
        if (!ending.error) expect(ending.sums[0] == kTotal, "a wrong total", ending);
      });
  add(
      together, [](wire::Request::Builder root) { root.setCommit(); },
      [together](const Ending& ending) { together->committed = !ending.error; });
  together->all_sent = true;
}

void CancelClient::read_transaction() {
  const auto together = std::make_shared<Together>();
  begin(together, true);
  const auto seen = std::make_shared<std::int64_t>(-1);
  for (int i = 0; i < 2; ++i) {
    add(
        together,
        [](wire::Request::Builder root) {
          fill_execute(root, "SELECT sum(balance), (SELECT count(*) FROM entry) FROM account", {});
        },
        [seen](const Ending& ending) {
          if (ending.error) return;
          expect(ending.sums[0] == kTotal, "a wrong total in a snapshot", ending);
          expect(*seen < 0 || *seen == ending.sums[1], "another snapshot", ending);
          *seen = ending.sums[1];
        });
  }
  ++together->under_way;
  stream(together->transaction, Work::kInRead, [this, together](const Ending& ending) {
    if (ending.error) {
      (ending.error->code == ErrorCode::kTransactionAborted ? together->any_aborted : together->any_stopped) = true;
    }
    --together->under_way;
    settle(together);
  });
  together->all_sent = true;
}

void CancelClient::settle(const std::shared_ptr<Together>& together) {
  if (together->under_way > 0 || !together->all_sent) return;
  test::require(!together->any_aborted || together->any_stopped, "a transaction was aborted, and nothing had happened in it");
  if (together->operation != 0) {
    ledger_.rows[together->operation] = together->committed ? together->inserted : 0;
    test::require(!together->committed || together->keeps || !together->any_stopped,
                  "a transaction was committed of which a part had failed");
  }
  if (!together->committed) roll_back(together->transaction);
}

void CancelClient::roll_back(std::uint32_t transaction) {
  start(
      Work::kEnd, {}, transaction, [](wire::Request::Builder root) { root.setRollback(); },
      [](const Ending& ending) { expect(!ending.error, "no rollback", ending); });
  pipeline_.flush();
}

}  // namespace skua::stress
