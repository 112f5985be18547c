// Names and values written as SQL text. sqlite.org/lang_keywords.html,
// sqlite.org/lang_expr.html#literal_values_constants_ Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocol/value.h"

namespace skua::cli {

// In upper case, in order.
std::span<const std::string_view> keywords();
// In any case.
bool is_keyword(std::string_view word);

// "name", with quotes inside doubled: right for every name.
std::string quoted_identifier(std::string_view name);
// Quoted only if it has to be, as the sqlite3 shell does.
std::string short_identifier(std::string_view name);
// 'text', with quotes inside doubled.
std::string quoted_text(std::string_view text);

// A literal that SQLite reads back as the same value, as the insert mode of the sqlite3 shell writes it.
std::string sql_literal(const ValueView& value);

// "0aff".
std::string to_hex(std::string_view bytes);

}  // namespace skua::cli
