// How a row becomes a C++ value: a tuple by position, a struct by the names of its members, or its only column.
//
//   struct Item {
//     std::int64_t id;
//     std::string name;
//     std::optional<double> price;
//   };
//   SKUA_FIELDS(Item, id, name, price)   // beside the struct, in its namespace
//
// A tuple must have as many elements as the row has columns. A struct takes the columns that are named as its members are, in
// any order, and leaves the others. The types are those of Row::get(). Errors are kUsage, and name the column. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "skua/batch.h"

namespace skua {

// For the library's own use: a member of a struct and its name, and what tells how to convert.
template <class Struct, class Member>
struct Field {
  std::string_view name;
  Member Struct::*member;
};

// For the library's own use.
template <class Struct, class Member>
constexpr Field<Struct, Member> field(std::string_view name, Member Struct::*member) {
  return {name, member};
}

// For the library's own use.
template <class T>
concept HasFields = requires { skua_fields(static_cast<const T*>(nullptr)); };

// For the library's own use.
template <class T>
struct IsTuple : std::false_type {};
template <class... T>
struct IsTuple<std::tuple<T...>> : std::true_type {};
template <class A, class B>
struct IsTuple<std::pair<A, B>> : std::true_type {};

// For the library's own use: kUsage unless the row has that many columns.
Status check_column_count(const Row& row, std::size_t column_count);

// The row as a T; the same as row.as<T>().
template <class T>
Result<T> from_row(const Row& row) {
  if constexpr (IsTuple<T>::value) {
    SKUA_TRY(check_column_count(row, std::tuple_size_v<T>));
    std::optional<Error> error;
    const auto take = [&]<class Element>(std::size_t column, Element& element) {
      if (error) return;
      Result<Element> value = row.get<Element>(column);
      if (value) {
        element = std::move(*value);
      } else {
        error = std::move(value).error();
      }
    };
    T tuple{};
    [&]<std::size_t... column>(std::index_sequence<column...>) {
      (take(column, std::get<column>(tuple)), ...);
    }(std::make_index_sequence<std::tuple_size_v<T>>());
    if (error) return std::move(*error);
    return tuple;
  } else if constexpr (HasFields<T>) {
    std::optional<Error> error;
    T object{};
    const auto take = [&]<class Member>(const Field<T, Member>& field) {
      if (error) return;
      Result<Member> value = row.get<Member>(field.name);
      if (value) {
        object.*field.member = std::move(*value);
      } else {
        error = std::move(value).error();
      }
    };
    std::apply([&](const auto&... field) { (take(field), ...); }, skua_fields(static_cast<const T*>(nullptr)));
    if (error) return std::move(*error);
    return object;
  } else {
    SKUA_TRY(check_column_count(row, 1));
    return row.get<T>(0);
  }
}

template <class T>
Result<T> Row::as() const {
  return from_row<T>(*this);
}

}  // namespace skua

// The members of a struct that are columns, up to 32.
#define SKUA_FIELDS(Struct, ...)                                                             \
  [[maybe_unused]] constexpr auto skua_fields(const Struct*) {                                \
    using SkuaStruct = Struct;                                                                \
    return std::make_tuple(SKUA_FIELDS_EXPAND(SKUA_FIELDS_FIRST(__VA_ARGS__)));               \
  }

// For the library's own use: the members one by one.
#define SKUA_FIELDS_PARENS ()
#define SKUA_FIELDS_EXPAND(...) SKUA_FIELDS_EXPAND1(SKUA_FIELDS_EXPAND1(SKUA_FIELDS_EXPAND1(__VA_ARGS__)))
#define SKUA_FIELDS_EXPAND1(...) SKUA_FIELDS_EXPAND2(SKUA_FIELDS_EXPAND2(SKUA_FIELDS_EXPAND2(__VA_ARGS__)))
#define SKUA_FIELDS_EXPAND2(...) SKUA_FIELDS_EXPAND3(SKUA_FIELDS_EXPAND3(SKUA_FIELDS_EXPAND3(__VA_ARGS__)))
#define SKUA_FIELDS_EXPAND3(...) __VA_ARGS__
#define SKUA_FIELDS_FIRST(member, ...) \
  ::skua::field(#member, &SkuaStruct::member) __VA_OPT__(SKUA_FIELDS_NEXT SKUA_FIELDS_PARENS(__VA_ARGS__))
#define SKUA_FIELDS_NEXT() SKUA_FIELDS_LATER
#define SKUA_FIELDS_LATER(member, ...) \
  , ::skua::field(#member, &SkuaStruct::member) __VA_OPT__(SKUA_FIELDS_NEXT SKUA_FIELDS_PARENS(__VA_ARGS__))
