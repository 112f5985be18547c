// Names and values as SQL.
#include "client/cli/sql_text.h"

#include <criterion/criterion.h>
#include <sqlite3.h>

#include <algorithm>

using namespace skua::cli;

Test(sql_text, knows_the_keywords_of_sqlite) {
  const int count = sqlite3_keyword_count();
  cr_assert_eq(keywords().size(), static_cast<std::size_t>(count));
  cr_assert(std::is_sorted(keywords().begin(), keywords().end()));
  for (int i = 0; i < count; ++i) {
    const char* word = nullptr;
    int size = 0;
    cr_assert_eq(sqlite3_keyword_name(i, &word, &size), SQLITE_OK);
    cr_assert(is_keyword({word, static_cast<std::size_t>(size)}), "%.*s", size, word);
  }
  cr_assert(is_keyword("sElEcT"));
  cr_assert_not(is_keyword("selects"));
  cr_assert_not(is_keyword(""));
}

Test(sql_text, quotes_names) {
  cr_assert(quoted_identifier("a\"b") == "\"a\"\"b\"");
  cr_assert(quoted_identifier("") == "\"\"");
  cr_assert(short_identifier("a_1") == "a_1");
  for (const char* name : {"", "1a", "a b", "order", "é", "a-b"}) {
    cr_assert(short_identifier(name) == quoted_identifier(name), "%s", name);
  }
}
