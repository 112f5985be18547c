// RowBatchReader::open: batches that contradict themselves are refused, and random ones never read out of
// bounds.
#include <capnp/any.h>
#include <criterion/criterion.h>

#include <cstring>
#include <functional>
#include <string>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/row_batch.h"
#include "tests/support/random.h"

using namespace skua;

namespace {

// Opens a batch of one column and `rows` rows that `fill` makes.
Status opened(std::uint32_t rows, const std::function<void(wire::Column::Builder)>& fill) {
  FrameBuilder builder;
  auto batch = builder.initRoot<wire::RowBatch>();
  batch.setRowCount(rows);
  fill(batch.initColumns(1)[0]);
  const Frame frame = builder.finish();
  return guarded([&]() -> Status {
    MessageView view(frame.view());
    SKUA_TRY(RowBatchReader::open(view.root<wire::RowBatch>()));
    return {};
  });
}

void refused(std::uint32_t rows, const std::function<void(wire::Column::Builder)>& fill) {
  const Status status = opened(rows, fill);
  cr_assert(!status);
  cr_assert_eq(status.error().code, ErrorCode::kProtocol);
}

void fill_bytes(wire::Bytes::Builder bytes, std::initializer_list<std::uint32_t> ends, std::size_t data_bytes) {
  bytes.setEnds(kj::arrayPtr(ends.begin(), ends.size()));
  bytes.initData(static_cast<kj::uint>(data_bytes));
}

void fill_mixed(wire::Column::Builder column, std::initializer_list<kj::byte> kinds,
                std::initializer_list<std::uint64_t> words, std::size_t data_bytes) {
  auto mixed = column.initMixed();
  mixed.setKinds(kj::arrayPtr(kinds.begin(), kinds.size()));
  mixed.setWords(kj::arrayPtr(words.begin(), words.size()));
  mixed.initData(static_cast<kj::uint>(data_bytes));
}

// Reads every value, and every byte of it.
std::uint64_t read_all(const RowBatchReader& reader) {
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < reader.row_count(); ++row) {
    for (std::size_t column = 0; column < reader.column_count(); ++column) {
      const ValueView value = reader.at(row, column);
      sum += static_cast<std::uint64_t>(value.kind());
      for (const char byte : value.bytes()) sum += static_cast<unsigned char>(byte);
    }
  }
  for (const ColumnView& column : reader.columns()) {
    for (const char byte : column.bytes()) sum += static_cast<unsigned char>(byte);
  }
  return sum;
}

}  // namespace

Test(row_batch_reader, refuses_columns_without_one_value_a_row) {
  refused(3, [](auto column) { column.initIntegers(2); });
  refused(3, [](auto column) { column.initIntegers(4); });
  refused(3, [](auto column) { column.initReals(2); });
  refused(3, [](auto column) { fill_bytes(column.initTexts(), {1, 2}, 2); });
  refused(3, [](auto column) { fill_bytes(column.initBlobs(), {1, 2, 3, 4}, 4); });
  refused(2, [](auto column) { fill_mixed(column, {1}, {1, 1}, 0); });
  refused(2, [](auto column) { fill_mixed(column, {1, 1}, {1}, 0); });
}

// Cap'n Proto lets a list of larger elements, or of structs, pass for a list of numbers that are further apart.
Test(row_batch_reader, refuses_numbers_that_do_not_lie_one_behind_the_other) {
  const auto opened_as = [](kj::uint words, kj::uint pointers) {
    return opened(2, [&](wire::Column::Builder column) {
      auto any = capnp::toAny(wire::Column::Builder(column));
      // The pointer to the integers is the second of a column; the number in front of it says that it is that.
      any.getPointerSection()[1].initAsListOfAnyStruct(static_cast<std::uint16_t>(words),
                                                       static_cast<std::uint16_t>(pointers), 2);
      any.getDataSection()[0] = wire::Column::INTEGERS;
    });
  };
  cr_assert(opened_as(1, 0).has_value(), "these lie as a list of numbers does");
  cr_assert_eq(opened_as(2, 0).error().code, ErrorCode::kProtocol);
  cr_assert_eq(opened_as(1, 1).error().code, ErrorCode::kProtocol);
  // 32-bit ends in a list of 64-bit words.
  refused(2, [](wire::Column::Builder column) {
    wire::Bytes::Builder bytes = column.initTexts();
    auto any = capnp::toAny(wire::Bytes::Builder(bytes));
    any.getPointerSection()[0].initAs<capnp::List<std::uint64_t>>(2u);
    bytes.initData(16);
  });
}

Test(row_batch_reader, refuses_values_outside_of_their_data) {
  cr_assert(opened(2, [](auto column) { fill_bytes(column.initTexts(), {1, 3}, 3); }).has_value());
  refused(2, [](auto column) { fill_bytes(column.initTexts(), {1, 4}, 3); });
  refused(2, [](auto column) { fill_bytes(column.initBlobs(), {2, 1}, 3); });
  refused(1, [](auto column) { fill_bytes(column.initBlobs(), {0xffffffff}, 3); });
  cr_assert(opened(1, [](auto column) { fill_mixed(column, {3}, {1ull << 32 | 2}, 3); }).has_value());
  refused(1, [](auto column) { fill_mixed(column, {3}, {1ull << 32 | 3}, 3); });
  refused(1, [](auto column) { fill_mixed(column, {4}, {0xffffffffull << 32 | 0xffffffffull}, 3); });
}

Test(row_batch_reader, refuses_kinds_it_does_not_know) {
  refused(1, [](auto column) { fill_mixed(column, {5}, {0}, 0); });
  refused(1, [](auto column) { fill_mixed(column, {255}, {0}, 0); });
}

Test(row_batch_reader, refuses_bitmaps_of_another_size) {
  cr_assert(opened(9, [](auto column) { column.initNulls(2); }).has_value());
  refused(9, [](auto column) { column.initNulls(1); });
  refused(9, [](auto column) { column.initNulls(3); });
  refused(0, [](auto column) { column.initNulls(1); });
}

Test(row_batch_reader, limits_rows_that_cost_no_bytes) {
  cr_assert(opened(1u << 22, [](auto column) { column.setAllNull(); }).has_value());
  const Status status = opened((1u << 22) + 1, [](auto column) { column.setAllNull(); });
  cr_assert(!status);
  cr_assert_eq(status.error().code, ErrorCode::kLimit);
}

Test(row_batch_reader, limits_columns) {
  const auto open_with = [](std::size_t columns) {
    FrameBuilder builder;
    builder.initRoot<wire::RowBatch>().initColumns(static_cast<kj::uint>(columns));
    const Frame frame = builder.finish();
    MessageView view(frame.view());
    return RowBatchReader::open(view.root<wire::RowBatch>()).has_value();
  };
  cr_assert(open_with(kParametersMax));
  cr_assert(!open_with(kParametersMax + 1));
}

Test(row_batch_reader, never_reads_out_of_bounds_of_a_damaged_batch) {
  test::Random random;
  std::uint64_t opened_count = 0;
  std::uint64_t sum = 0;
  for (int round = 0; round < 5'000; ++round) {
    RowBatchBuilder rows(3);
    for (int row = 0; row < 20; ++row) {
      rows.append_integer(row);
      if (random.one_in(2))
        rows.append_null();
      else
        rows.append_text("some text");
      if (random.one_in(2))
        rows.append_real(row);
      else
        rows.append_blob("bytes");
      rows.end_row();
    }
    FrameBuilder builder(rows.words_max());
    rows.write(builder.initRoot<wire::RowBatch>());
    Frame frame = builder.finish();
    auto* bytes = reinterpret_cast<unsigned char*>(frame.words());
    for (std::int64_t flips = random.between(1, 8); flips > 0; --flips) {
      // The frame's header is the frame reader's business.
      const auto at = random.between(8, static_cast<std::int64_t>(frame.byte_count()) - 1);
      bytes[at] = random.one_in(2) ? static_cast<unsigned char>(random.word())
                                   : static_cast<unsigned char>(bytes[at] ^ 1u << random.between(0, 7));
    }
    const Status status = guarded([&]() -> Status {
      MessageView view(frame.view());
      SKUA_ASSIGN(const RowBatchReader reader, RowBatchReader::open(view.root<wire::RowBatch>()));
      ++opened_count;
      sum += read_all(reader);
      return {};
    });
    if (!status)
      cr_assert(status.error().code == ErrorCode::kProtocol || status.error().code == ErrorCode::kLimit);
  }
  cr_assert_gt(opened_count, 0);
  cr_assert_gt(sum, 0);
}
