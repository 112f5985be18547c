// What is read and laid out by hand is what Cap'n Proto reads and lays out: rows and parameters, whole and damaged.
#include "protocol/flat_message.h"

#include <criterion/criterion.h>

#include <bit>
#include <optional>
#include <string>
#include <vector>

#include "protocol/codec.h"
#include "protocol/parameter_list.h"
#include "protocol/row_batch.h"
#include "protocol/short_frames.h"
#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

bool same(const ValueView& a, const ValueView& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case ValueKind::kNull: return true;
    case ValueKind::kInteger: return a.integer() == b.integer();
    case ValueKind::kReal: return std::bit_cast<std::uint64_t>(a.real()) == std::bit_cast<std::uint64_t>(b.real());
    case ValueKind::kText:
    case ValueKind::kBlob: return a.bytes() == b.bytes();
  }
  return false;
}

bool same(const RowBatchReader& a, const RowBatchReader& b) {
  if (a.row_count() != b.row_count() || a.column_count() != b.column_count()) return false;
  for (std::size_t row = 0; row < a.row_count(); ++row) {
    for (std::size_t column = 0; column < a.column_count(); ++column) {
      if (!same(a.at(row, column), b.at(row, column))) return false;
    }
  }
  return true;
}

Value random_value(Random& random, std::int64_t kind) {
  switch (kind) {
    case 0: return Null{};
    case 1: return static_cast<std::int64_t>(random.word());
    case 2: return std::bit_cast<double>(random.word());
    case 3: return random.bytes(static_cast<std::size_t>(random.between(0, 20)));
    default: return Blob{random.bytes(static_cast<std::size_t>(random.between(0, 20)))};
  }
}

// Rows whose columns have one kind each, and NULLs; some have several kinds.
RowBatchBuilder random_batch(Random& random) {
  const std::int64_t columns = random.between(1, 6);
  const std::int64_t rows = random.one_in(8) ? random.between(60, 200) : random.between(0, 9);
  std::vector<std::int64_t> kinds;
  for (std::int64_t i = 0; i < columns; ++i) kinds.push_back(random.between(0, random.one_in(4) ? 5 : 4));
  RowBatchBuilder builder(static_cast<std::size_t>(columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const std::int64_t kind : kinds) {
      const bool is_null = random.one_in(5);
      builder.append(ValueView::of(random_value(random, is_null ? 0 : kind == 5 ? random.between(0, 4) : kind)));
    }
    builder.end_row();
  }
  return builder;
}

Frame rows_by_capnp(std::uint64_t id, const RowBatchBuilder& batch) {
  FrameBuilder frame(batch.words_max() + 32);
  auto response = frame.initRoot<wire::Response>();
  response.setId(id);
  batch.write(response.initRows().initBatch());
  return frame.finish();
}

// The batch of a rows response; nothing if it cannot be read that way.
std::optional<RowBatchReader> open_flat(const Frame& frame) {
  FlatReader message;
  FlatStruct root;
  FlatStruct rows;
  FlatStruct batch;
  RowBatchReader reader;
  const bool is_flat = message.open(frame.view(), root) && root.quarter_word(4) == wire::Response::ROWS &&
                       message.follow(root.pointer(0), rows) &&
                       message.follow(rows.pointer(1), batch) && reader.open_flat(message, batch);
  if (!is_flat) return std::nullopt;
  return reader;
}

// As many bytes, in memory that ends where the frame does, so that a sanitizer sees what is read behind it.
Frame damaged(Random& random, const Frame& frame) {
  Frame copy = Frame::copy_of(frame.view());
  auto* words = reinterpret_cast<std::uint64_t*>(copy.words());
  for (std::int64_t i = random.between(1, 3); i > 0; --i) {
    std::uint64_t& word = words[random.between(0, static_cast<std::int64_t>(copy.view().size()) - 1)];
    switch (random.between(0, 3)) {
      case 0: word = random.word(); break;
      case 1: word ^= std::uint64_t{1} << random.between(0, 63); break;
      case 2: word += static_cast<std::uint64_t>(random.between(-4, 4)) << (random.one_in(2) ? 2 : 35); break;
      default: word = words[random.between(0, static_cast<std::int64_t>(copy.view().size()) - 1)]; break;
    }
  }
  return copy;
}

// Cap'n Proto has to read it, too, and to find the same.
void expect_same_rows(const Frame& frame, const RowBatchReader& flat) {
  const Status read = guarded([&]() -> Status {
    MessageView view(frame.view());
    SKUA_ASSIGN(const RowBatchReader rows, RowBatchReader::open(view.root<wire::Response>().getRows().getBatch()));
    cr_assert(same(rows, flat));
    return {};
  });
  cr_assert(read.has_value(), "%s", read.error().message.c_str());
}

struct Parameter {
  std::string name;
  Value value;
};

Frame parameters_by_capnp(const std::vector<Parameter>& parameters) {
  FrameBuilder frame;
  auto out = frame.initRoot<wire::Request>().initExecute().initParameters(static_cast<kj::uint>(parameters.size()));
  for (kj::uint i = 0; i < out.size(); ++i) {
    const std::string& name = parameters[i].name;
    if (!name.empty()) fill_text(out[i].initName(static_cast<kj::uint>(name.size())), name);
    write_parameter(ValueView::of(parameters[i].value), out[i]);
  }
  return frame.finish();
}

std::vector<Parameter> random_parameters(Random& random) {
  std::vector<Parameter> parameters;
  const bool named = random.one_in(3);
  for (std::int64_t i = random.between(1, 5); i > 0; --i) {
    parameters.push_back({named ? random.bytes(4) : "", random_value(random, random.between(0, 4))});
  }
  return parameters;
}

std::optional<ParameterList> open_flat_parameters(const Frame& frame) {
  FlatReader message;
  FlatStruct root;
  FlatStruct execute;
  ParameterList list;
  const bool is_flat = message.open(frame.view(), root) && root.quarter_word(8) == wire::Request::EXECUTE &&
                       message.follow(root.pointer(1), execute) &&
                       list.open_flat(message, execute.pointer(1));
  if (!is_flat) return std::nullopt;
  return list;
}

void expect_same_parameters(const Frame& frame, const ParameterList& flat) {
  const Status read = guarded([&]() -> Status {
    MessageView view(frame.view());
    const ParameterList list(view.root<wire::Request>().getExecute().getParameters());
    cr_assert_eq(list.size(), flat.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      cr_assert_eq(list.has_name(i), flat.has_name(i));
      cr_assert(list.name(i) == flat.name(i));
      SKUA_ASSIGN(const ValueView value, list.value(i));
      SKUA_ASSIGN(const ValueView by_hand, flat.value(i));
      cr_assert(same(value, by_hand));
    }
    return {};
  });
  cr_assert(read.has_value(), "%s", read.error().message.c_str());
}

}  // namespace

Test(flat_message, rows_that_are_laid_out_by_hand_are_read_by_both) {
  Random random;
  int read_flat = 0;
  for (int i = 0; i < 3'000; ++i) {
    const RowBatchBuilder batch = random_batch(random);
    const Summary summary{random.word(), -5, TransactionState::kAborted, random.word(), random.word()};
    const bool is_last = random.one_in(2);
    const std::uint64_t id = random.word();
    const std::uint64_t columns_id = random.word();
    const Frame frame = rows_response(id, columns_id, batch, is_last ? &summary : nullptr, nullptr);
    MessageView view(frame.view());
    const auto response = view.root<wire::Response>();
    cr_assert_eq(response.getId(), id);
    cr_assert(response.isRows());
    const auto rows = response.getRows();
    cr_assert(!rows.hasColumns() && rows.hasBatch());
    cr_assert_eq(rows.getColumnsId(), columns_id);
    cr_assert_eq(rows.hasDone(), is_last);
    if (is_last) {
      const Summary done = read_summary(rows.getDone());
      cr_assert_eq(done.changes, summary.changes);
      cr_assert_eq(done.last_insert_rowid, summary.last_insert_rowid);
      cr_assert_eq(done.transaction, summary.transaction);
      cr_assert_eq(done.row_count, summary.row_count);
      cr_assert_eq(done.server_us, summary.server_us);
    }
    const auto read = RowBatchReader::open(rows.getBatch());
    cr_assert(read.has_value());
    const Frame by_capnp = rows_by_capnp(id, batch);
    MessageView expected_view(by_capnp.view());
    const auto expected = RowBatchReader::open(expected_view.root<wire::Response>().getRows().getBatch());
    cr_assert(expected.has_value() && same(*read, *expected));
    if (const auto flat = open_flat(frame)) {
      ++read_flat;
      cr_assert(same(*flat, *expected));
    }
  }
  cr_assert_geq(read_flat, 1'000, "nearly all batches with mixed columns?");
}

Test(flat_message, rows_that_capnp_lays_out_are_read_by_hand) {
  Random random;
  int read_flat = 0;
  for (int i = 0; i < 3'000; ++i) {
    const Frame frame = rows_by_capnp(1, random_batch(random));
    const auto flat = open_flat(frame);
    if (!flat) continue;
    ++read_flat;
    expect_same_rows(frame, *flat);
  }
  cr_assert_geq(read_flat, 1'000);
}

Test(flat_message, damaged_rows_are_read_the_same_or_left_to_capnp) {
  Random random;
  int read_flat = 0;
  for (int i = 0; i < 50'000; ++i) {
    const RowBatchBuilder batch = random_batch(random);
    const Frame frame = damaged(random, rows_response(1, 2, batch, nullptr, nullptr));
    if (const auto flat = open_flat(frame)) {
      ++read_flat;
      expect_same_rows(frame, *flat);
    }
  }
  cr_assert_geq(read_flat, 2'500, "damage that hits values only");
}

Test(flat_message, parameters_are_read_by_hand) {
  Random random;
  for (int i = 0; i < 3'000; ++i) {
    const std::vector<Parameter> parameters = random_parameters(random);
    const Frame frame = parameters_by_capnp(parameters);
    const auto flat = open_flat_parameters(frame);
    cr_assert(flat.has_value());
    expect_same_parameters(frame, *flat);
    for (std::size_t at = 0; at < parameters.size(); ++at) {
      cr_assert(flat->name(at) == parameters[at].name);
      cr_assert(same(*flat->value(at), ValueView::of(parameters[at].value)));
    }
  }
}

Test(flat_message, damaged_parameters_are_read_the_same_or_left_to_capnp) {
  Random random;
  int read_flat = 0;
  for (int i = 0; i < 50'000; ++i) {
    const Frame frame = damaged(random, parameters_by_capnp(random_parameters(random)));
    if (const auto flat = open_flat_parameters(frame)) {
      ++read_flat;
      expect_same_parameters(frame, *flat);
    }
  }
  cr_assert_geq(read_flat, 2'500);
}

Test(flat_message, more_than_one_segment_is_left_to_capnp) {
  // Two segments, the second empty, as Cap'n Proto would frame them.
  const Frame whole = done_response(1, {});
  Frame frame = Frame::zeroed(whole.view().size() + 1);
  auto* header = reinterpret_cast<std::uint32_t*>(frame.words());
  header[0] = 1;
  header[1] = static_cast<std::uint32_t>(whole.view().size() - 1);
  std::memcpy(frame.words() + 2, whole.view().begin() + 1, whole.byte_count() - 8);
  FlatReader message;
  FlatStruct root;
  cr_assert(!message.open(frame.view(), root));
  MessageView view(frame.view());
  cr_assert(view.root<wire::Response>().isDone());
}

Test(flat_message, fields_that_an_older_peer_does_not_have_are_0) {
  const std::uint64_t words[] = {7};
  const FlatStruct older{words, 1, 0};
  cr_assert_eq(older.word(0), 7u);
  cr_assert_eq(older.word(1), 0u);
  cr_assert_eq(older.quarter_word(4), 0u);
  cr_assert_null(older.pointer(0));
  cr_assert(!older.has(0));
}
