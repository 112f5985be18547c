#include "daemon/engine/parameter_binding.h"

#include <fmt/format.h>

#include "protocol/codec.h"

namespace skua {

namespace {

Error wrong_count(int wanted, std::size_t given) {
  return make_error(ErrorCode::kParameter, fmt::format("the statement has {} parameter{}, {} {} given", wanted,
                                                       wanted == 1 ? "" : "s", given, given == 1 ? "was" : "were"));
}

std::string describe(const Statement& statement, int index) {
  const std::string_view name = statement.parameter_name(index);
  return name.empty() ? fmt::format("{}", index) : std::string(name);
}

// Marks the parameter as given; each may be given once.
Status take(std::vector<bool>& given, const Statement& statement, std::string_view name, int index) {
  if (index == 0) {
    return make_error(ErrorCode::kParameter, fmt::format("the statement has no parameter '{}'", name));
  }
  const auto at = static_cast<std::size_t>(index - 1);
  if (given[at]) {
    return make_error(ErrorCode::kParameter, fmt::format("parameter {} is given twice", describe(statement, index)));
  }
  given[at] = true;
  return {};
}

// A parameter that the text leaves out, as ?1 is in "?2, ?3", has no place to miss a value in, but SQLite counts it; so
// only a name that is missing is an error, and for positions the count is.
Status check_all_given(const std::vector<bool>& given, const Statement& statement) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const int index = static_cast<int>(i) + 1;
    if (given[i]) continue;
    if (const std::string_view name = statement.parameter_name(index); !name.empty()) {
      return make_error(ErrorCode::kParameter, fmt::format("parameter {} was not given", name));
    }
    return make_error(ErrorCode::kParameter,
                      fmt::format("parameter {} has no name, and the others are given by name", index));
  }
  return {};
}

}  // namespace

Status bind_parameters(Statement& statement, const ParameterList& parameters) {
  const int count = statement.parameter_count();
  const bool named = parameters.size() > 0 && parameters.has_name(0);
  if (!named && parameters.size() != static_cast<std::size_t>(count)) return wrong_count(count, parameters.size());
  std::vector<bool> given(named ? static_cast<std::size_t>(count) : 0);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters.has_name(i) != named) {
      return make_error(ErrorCode::kParameter, "some parameters are named and some are not: name all or none");
    }
    int index = static_cast<int>(i) + 1;
    if (named) {
      const std::string_view name = parameters.name(i);
      index = statement.parameter_index(name);
      SKUA_TRY(take(given, statement, name, index));
    }
    SKUA_ASSIGN(const ValueView value, parameters.value(i));
    SKUA_TRY(statement.bind(index, value));
  }
  return named ? check_all_given(given, statement) : Status();
}

Result<std::vector<int>> match_columns(const Statement& statement, capnp::List<capnp::Text>::Reader names,
                                       std::size_t column_count) {
  const int count = statement.parameter_count();
  std::vector<int> indexes;
  if (names.size() == 0) {
    if (column_count != static_cast<std::size_t>(count)) return wrong_count(count, column_count);
    for (int i = 1; i <= count; ++i) indexes.push_back(i);
    return indexes;
  }
  if (names.size() != column_count) {
    return make_error(ErrorCode::kParameter,
                      fmt::format("there are {} names for {} columns of parameters", names.size(), column_count));
  }
  std::vector<bool> given(static_cast<std::size_t>(count));
  for (const capnp::Text::Reader name : names) {
    const int index = statement.parameter_index(view_of(name));
    SKUA_TRY(take(given, statement, view_of(name), index));
    indexes.push_back(index);
  }
  SKUA_TRY(check_all_given(given, statement));
  return indexes;
}

}  // namespace skua
