// Value and ValueView: owning and borrowing the same value.
#include "protocol/value.h"

#include <criterion/criterion.h>

#include <limits>

using namespace skua;

Test(value, survives_the_way_to_a_view_and_back) {
  const Value values[] = {Null{},
                          std::int64_t{0},
                          std::numeric_limits<std::int64_t>::min(),
                          2.5,
                          std::string("a\0b", 3),
                          std::string(),
                          Blob{"\xff"},
                          Blob{}};
  for (const Value& value : values) cr_assert(ValueView::of(value).to_value() == value);
}

Test(value, of_a_view_names_its_kind_as_sqlite_does) {
  cr_assert(to_string(ValueView::null().kind()) == "null");
  cr_assert(to_string(ValueView::integer(1).kind()) == "integer");
  cr_assert(to_string(ValueView::real(1).kind()) == "real");
  cr_assert(to_string(ValueView::text("1").kind()) == "text");
  cr_assert(to_string(ValueView::blob("1").kind()) == "blob");
}

Test(value, text_and_blob_of_the_same_bytes_differ) {
  cr_assert(ValueView::text("x").to_value() != ValueView::blob("x").to_value());
}
