// RowBatchBuilder and RowBatchReader: what goes in comes out, exactly.
#include "protocol/row_batch.h"

#include <criterion/criterion.h>

#include <bit>
#include <csignal>
#include <limits>
#include <string>
#include <vector>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "tests/support/random.h"

using namespace skua;

namespace {

using Rows = std::vector<std::vector<Value>>;

const Value kNothing = Null{};

Value text(std::string_view bytes) { return std::string(bytes); }
Value blob(std::string_view bytes) { return Blob{std::string(bytes)}; }

// Bits, because NaN equals nothing and -0.0 equals 0.0.
bool same(const ValueView& read, const Value& written) {
  const ValueView expected = ValueView::of(written);
  if (read.kind() != expected.kind()) return false;
  if (read.kind() == ValueKind::kInteger) return read.integer() == expected.integer();
  if (read.kind() == ValueKind::kReal) {
    return std::bit_cast<std::uint64_t>(read.real()) == std::bit_cast<std::uint64_t>(expected.real());
  }
  return read.bytes() == expected.bytes();
}

void append(RowBatchBuilder& builder, const std::vector<Value>& row) {
  for (const Value& value : row) builder.append(ValueView::of(value));
  builder.end_row();
}

Frame frame_of(const RowBatchBuilder& builder) {
  FrameBuilder frame(builder.words_max());
  builder.write(frame.initRoot<wire::RowBatch>());
  Frame whole = frame.finish();
  // One segment: what is made in one go needs no copy at its end.
  cr_assert_eq(*reinterpret_cast<const std::uint32_t*>(whole.words()), 0u, "words_max() was too few");
  cr_assert_leq(whole.byte_count(), 8 * (builder.words_max() + 2), "words_max() was too few");
  return whole;
}

void check(const RowBatchBuilder& builder, const Rows& rows) {
  const Frame frame = frame_of(builder);
  MessageView view(frame.view());
  const auto reader = RowBatchReader::open(view.root<wire::RowBatch>());
  cr_assert(reader.has_value(), "%s", reader.error().message.c_str());
  cr_assert_eq(reader->row_count(), rows.size());
  cr_assert_eq(reader->column_count(), builder.column_count());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < rows[row].size(); ++column) {
      cr_assert(same(reader->at(row, column), rows[row][column]), "row %zu, column %zu", row, column);
    }
  }
}

void check_round_trip(const Rows& rows) {
  RowBatchBuilder builder(rows.empty() ? 0 : rows[0].size());
  for (const auto& row : rows) append(builder, row);
  check(builder, rows);
}

// One column of these values.
void check_column(const std::vector<Value>& values) {
  Rows rows;
  for (const Value& value : values) rows.push_back({value});
  check_round_trip(rows);
}

Value random_value(test::Random& random, int kinds) {
  switch (random.between(0, kinds)) {
    case 0: return Null{};
    case 1: return static_cast<std::int64_t>(random.word());
    case 2: return std::bit_cast<double>(random.word());
    case 3: return random.bytes(static_cast<std::size_t>(random.between(0, 20)));
    default: return Blob{random.bytes(static_cast<std::size_t>(random.between(0, 20)))};
  }
}

}  // namespace

Test(row_batch, carries_the_extremes_of_integers) {
  check_column({std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                std::int64_t{9'007'199'254'740'993}, std::numeric_limits<std::int64_t>::max()});
}

Test(row_batch, carries_reals_bit_by_bit) {
  using Limits = std::numeric_limits<double>;
  check_column({0.0, -0.0, Limits::infinity(), -Limits::infinity(), Limits::denorm_min(), Limits::max(),
                Limits::lowest(), Limits::quiet_NaN(),
                std::bit_cast<double>(std::uint64_t{0x7ff8'0000'dead'beef}),
                std::bit_cast<double>(std::uint64_t{0xfff0'0000'0000'0001})});
}

Test(row_batch, carries_text_that_is_no_text) {
  check_column(
      {text(""), text(std::string_view("a\0b\0", 4)), text("\xff\xfe\x80"), text("\xed\xa0\x80"), text("å")});
}

Test(row_batch, tells_empty_from_null) {
  check_column({text(""), kNothing, text("")});
  check_column({blob(""), kNothing, blob("")});
}

Test(row_batch, carries_nulls_in_columns_of_every_kind) {
  const Value values[] = {std::int64_t{5}, 5.5, text("five"), blob("5")};
  for (const Value& value : values) {
    check_column({kNothing, value});
    check_column({value, kNothing});
    check_column({kNothing, kNothing, value, kNothing, value});
    // Around the bytes of the bitmap.
    for (const std::size_t rows : {7u, 8u, 9u, 63u, 64u, 65u}) {
      std::vector<Value> column(rows, value);
      column.back() = Null{};
      check_column(column);
      column.assign(rows, Null{});
      column.back() = value;
      check_column(column);
    }
  }
  check_column({kNothing, kNothing, kNothing});
}

Test(row_batch, carries_columns_whose_kind_changes) {
  const Value values[] = {std::int64_t{-5}, -0.0, text("five"), blob(std::string_view("\0", 1)), kNothing};
  for (const Value& first : values) {
    for (const Value& second : values) {
      for (const Value& third : values) check_column({first, second, third, kNothing, first, second, third});
    }
  }
}

Test(row_batch, carries_no_rows_and_no_columns) {
  check_round_trip({});
  RowBatchBuilder builder(3);
  check(builder, {});
  RowBatchBuilder without_columns(0);
  without_columns.end_row();
  without_columns.end_row();
  check(without_columns, {{}, {}});
}

Test(row_batch, carries_as_many_columns_as_a_table_can_have) {
  std::vector<Value> row;
  for (std::size_t column = 0; column < kColumnsMax; ++column) {
    row.push_back(column % 3 == 0   ? Value(static_cast<std::int64_t>(column))
                  : column % 3 == 1 ? kNothing
                                    : text("x"));
  }
  check_round_trip({row, row, row});
}

Test(row_batch, carries_the_largest_value) {
  check_round_trip({{std::int64_t{1}, blob(std::string(kValueBytesMax, '\xab'))}});
}

Test(row_batch, forgets_an_abandoned_row) {
  const Value values[] = {kNothing, std::int64_t{1}, 1.5, text("one"), blob("1")};
  for (const Value& kept : values) {
    for (const Value& abandoned : values) {
      RowBatchBuilder builder(3);
      append(builder, {kept, kept, text("kept")});
      // Abandoned in the middle of a row, at its end, and twice.
      for (const std::size_t appended : {1u, 2u, 3u}) {
        for (std::size_t i = 0; i < appended; ++i) builder.append(ValueView::of(abandoned));
        builder.abandon_row();
      }
      append(builder, {kept, kNothing, text("last")});
      check(builder, {{kept, kept, text("kept")}, {kept, kNothing, text("last")}});
    }
  }
}

Test(row_batch, abandoned_rows_leave_the_size_as_it_was) {
  RowBatchBuilder builder(2);
  append(builder, {std::int64_t{1}, text("one")});
  const std::size_t bytes = builder.byte_count();
  builder.append_integer(2);
  builder.append_text(std::string(100'000, 'x'));
  builder.abandon_row();
  cr_assert_eq(builder.byte_count(), bytes);
}

Test(row_batch, can_be_used_again) {
  RowBatchBuilder builder(2);
  append(builder, {std::int64_t{1}, text("one")});
  append(builder, {1.5, kNothing});
  builder.clear();
  cr_assert_eq(builder.row_count(), 0);
  cr_assert_eq(builder.byte_count(), 0);
  append(builder, {text("now"), blob("other")});
  check(builder, {{text("now"), blob("other")}});
  builder.reset(1);
  append(builder, {kNothing});
  check(builder, {{kNothing}});
}

Test(row_batch, grows_through_every_size_of_its_arrays) {
  RowBatchBuilder builder;
  // The second round finds the arrays of the first.
  for (int round = 0; round < 2; ++round) {
    builder.reset(5);
    Rows rows;
    for (std::int64_t i = 0; i < 5'000; ++i) {
      const bool late = i == 4'000;  // two columns change when they are large
      rows.push_back({late ? Value(1.5) : Value(i), i % 100 == 99 ? kNothing : Value(static_cast<double>(i)),
                      late ? blob("late") : text(std::to_string(i)), i < 3'000 ? kNothing : Value(i), kNothing});
      append(builder, rows.back());
    }
    check(builder, rows);
  }
}

Test(row_batch, does_not_keep_for_few_rows_what_many_took) {
  RowBatchBuilder builder(1);
  for (std::int64_t i = 0; i < 10'000; ++i) append(builder, {i});
  RowBatchBuilder taken = std::move(builder);
  cr_assert_eq(taken.row_count(), 10'000);
  builder = RowBatchBuilder();
  builder.reset(1);
  append(builder, {std::int64_t{7}});
  check(builder, {{std::int64_t{7}}});
}

Test(row_batch, counts_about_the_bytes_it_sends) {
  const Value values[] = {std::int64_t{1}, 1.5, text("twenty bytes of text"), blob("and as many in blobs"), kNothing};
  for (const Value& first : values) {
    for (const Value& second : values) {
      RowBatchBuilder builder(1);
      for (int i = 0; i < 1'000; ++i) append(builder, {i % 2 == 0 ? first : second});
      const std::size_t sent = frame_of(builder).byte_count();
      cr_assert(sent <= builder.byte_count() + builder.byte_count() / 32 + 200, "%zu sent, %zu counted", sent,
                builder.byte_count());
    }
  }
}

Test(row_batch, gives_columns_whose_values_are_alike_as_lists) {
  RowBatchBuilder builder(5);
  append(builder, {std::int64_t{7}, 0.5, text("one"), kNothing, std::int64_t{1}});
  append(builder, {std::int64_t{-7}, kNothing, text(""), kNothing, text("mixed")});
  append(builder, {std::int64_t{8}, 2.5, text("three"), kNothing, kNothing});
  const Frame frame = frame_of(builder);
  MessageView view(frame.view());
  const auto reader = RowBatchReader::open(view.root<wire::RowBatch>());
  cr_assert(reader.has_value());
  const std::vector<ColumnView>& columns = reader->columns();
  using Layout = ColumnView::Layout;
  cr_assert(columns[0].layout() == Layout::kIntegers && !columns[0].may_have_nulls());
  cr_assert_eq(columns[0].integers().size(), 3);
  cr_assert_eq(columns[0].integers()[1], -7);
  cr_assert(columns[1].layout() == Layout::kReals && columns[1].may_have_nulls());
  cr_assert(!columns[1].is_null(0) && columns[1].is_null(1) && !columns[1].is_null(2));
  cr_assert_eq(columns[1].reals()[2], 2.5);
  cr_assert(columns[2].layout() == Layout::kTexts);
  cr_assert(columns[2].bytes() == "onethree");
  const std::span<const std::uint32_t> ends = columns[2].ends();
  cr_assert(ends[0] == 3 && ends[1] == 3 && ends[2] == 8);
  cr_assert(columns[3].layout() == Layout::kNulls && columns[3].may_have_nulls() && columns[3].is_null(1));
  cr_assert(columns[4].layout() == Layout::kMixed && columns[4].is_null(2) && !columns[4].is_null(1));
  cr_assert(columns[4].bytes() == "mixed");
  cr_assert_eq(columns[4].kinds()[1], static_cast<std::uint8_t>(ValueKind::kText));
  cr_assert_eq(columns[4].words()[0], 1);
}

Test(row_batch, a_list_of_another_kind_is_a_defect_of_the_caller, .signal = SIGABRT) {
  RowBatchBuilder builder(1);
  append(builder, {1.5});
  const Frame frame = frame_of(builder);
  MessageView view(frame.view());
  (void)RowBatchReader::open(view.root<wire::RowBatch>())->columns()[0].integers();
}

Test(row_batch, a_row_that_is_not_there_is_a_defect_of_the_caller, .signal = SIGABRT) {
  RowBatchBuilder builder(1);
  append(builder, {1.5});
  const Frame frame = frame_of(builder);
  MessageView view(frame.view());
  (void)RowBatchReader::open(view.root<wire::RowBatch>())->at(1, 0);
}

Test(row_batch, writing_twice_gives_the_same) {
  RowBatchBuilder builder(1);
  append(builder, {text("same")});
  cr_assert(frame_of(builder).bytes() == frame_of(builder).bytes());
}

Test(row_batch, carries_random_rows) {
  test::Random random;
  for (int round = 0; round < 300; ++round) {
    const auto columns = static_cast<std::size_t>(random.between(1, 6));
    const auto row_count = static_cast<std::size_t>(random.between(0, 200));
    std::vector<int> kinds(columns);
    for (int& kind : kinds) kind = static_cast<int>(random.between(0, 4));
    RowBatchBuilder builder(columns);
    Rows rows;
    while (rows.size() < row_count) {
      std::vector<Value> row;
      for (std::size_t column = 0; column < columns; ++column)
        row.push_back(random_value(random, kinds[column]));
      if (random.one_in(10)) {
        const auto appended = static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(columns)));
        for (std::size_t i = 0; i < appended; ++i) builder.append(ValueView::of(row[i]));
        builder.abandon_row();
        continue;
      }
      append(builder, row);
      rows.push_back(std::move(row));
    }
    check(builder, rows);
  }
}
