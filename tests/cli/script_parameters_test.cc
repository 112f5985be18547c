// --param: types, names and positions.
#include "client/cli/script_parameters.h"

#include <criterion/criterion.h>

#include "tests/support/failure.h"

using namespace skua;
using namespace skua::cli;
using namespace skua::test;

namespace {

std::string text_of(const Value& value) {
  const ValueView view = ValueView::of(value);
  const std::string kind(to_string(view.kind()));
  switch (view.kind()) {
    case ValueKind::kNull:
      return kind;
    case ValueKind::kInteger:
      return kind + " " + std::to_string(view.integer());
    case ValueKind::kReal:
      return kind + " " + std::to_string(view.real());
    default:
      return kind + " " + std::string(view.bytes());
  }
}

std::string values_for(const std::vector<std::string>& definitions, const std::vector<std::string>& names) {
  ScriptParameters parameters = must(ScriptParameters::parse(definitions));
  const auto values = parameters.for_statement(names);
  if (!values) return "error: " + values.error().message;
  std::string text;
  for (const auto& entry : values->entries()) {
    cr_assert(entry.name.empty(), "parameters are bound by position");
    text += text_of(entry.value) + ";";
  }
  return text;
}

void expect_refused(const std::vector<std::string>& definitions, std::string_view part) {
  const auto parameters = ScriptParameters::parse(definitions);
  cr_assert_not(parameters.has_value());
  cr_assert(parameters.error().code == ErrorCode::kUsage);
  cr_assert(parameters.error().message.find(part) != std::string::npos, "%s",
            parameters.error().message.c_str());
}

}  // namespace

Test(script_parameters, takes_json_numbers_for_numbers_and_all_else_for_text) {
  const struct {
    const char* text;
    const char* value;
  } cases[] = {
      {"12", "integer 12"},
      {"-1", "integer -1"},
      {"0", "integer 0"},
      {"9223372036854775807", "integer 9223372036854775807"},
      {"-9223372036854775808", "integer -9223372036854775808"},
      {"1.5", "real 1.500000"},
      {"-1e3", "real -1000.000000"},
      {"2E+2", "real 200.000000"},
      {"9223372036854775808", "text 9223372036854775808"},
      {"007", "text 007"},
      {"-01", "text -01"},
      {"+1", "text +1"},
      {".5", "text .5"},
      {"1.", "text 1."},
      {"1e", "text 1e"},
      {"1e999", "text 1e999"},
      {"0x10", "text 0x10"},
      {" 1", "text  1"},
      {"-", "text -"},
      {"null", "text null"},
      {"", "text "},
      {"a=b", "text a=b"},
  };
  for (const auto& one : cases) cr_assert(text_of(guessed_value(one.text)) == one.value, "%s", one.text);
}

Test(script_parameters, takes_types_that_are_said) {
  cr_assert(values_for({"a:text=12", "b:integer=-3", "c:real=4", "d:blob=00fF", "e:null="},
                       {":a", ":b", ":c", ":e"}) == "text 12;integer -3;real 4.000000;null;");
  cr_assert(values_for({"d:blob=41"}, {":d"}) == "blob A;");
}

Test(script_parameters, finds_names_with_any_prefix_and_positions) {
  cr_assert(values_for({"a=1", "@b=2", ":c=3", "$d:text=4"}, {":a", "$b", "@c", ":d"}) ==
            "integer 1;integer 2;integer 3;text 4;");
  cr_assert(values_for({"1=x", "2=y"}, {"", ""}) == "text x;text y;");
  cr_assert(values_for({"2=y", "1=x"}, {"?1", "?2"}) == "text x;text y;");
  cr_assert(values_for({"1=x"}, {":name"}) == "text x;", "a named parameter by its position");
  cr_assert(values_for({"a=1", "unused=2"}, {":a"}) == "integer 1;");
  cr_assert(values_for({"a=1"}, {}).empty());
}

Test(script_parameters, says_what_a_statement_lacks) {
  cr_assert(values_for({"a=1"}, {":a", ":b"}) ==
            "error: the statement needs a value for :b: give it with --param b=VALUE");
  cr_assert(values_for({"1=1"}, {"", ""}) ==
            "error: the statement needs a value for its parameter 2: give it with --param 2=VALUE");
}

Test(script_parameters, knows_what_nothing_used) {
  ScriptParameters parameters = must(ScriptParameters::parse({"a=1", "b=2"}));
  cr_assert(parameters.for_statement({":b"}).has_value());
  cr_assert_eq(parameters.unused().size(), 1);
  cr_assert(parameters.unused()[0] == "a");
}

Test(script_parameters, refuses_definitions_that_make_no_sense) {
  expect_refused({"a"}, "key=value");
  expect_refused({"=1"}, "empty");
  expect_refused({"a:number=1"}, "not a type");
  expect_refused({"a:blob=0"}, "even");
  expect_refused({"a:blob=zz"}, "hexadecimal");
  expect_refused({"a:integer=1.5"}, "integer");
  expect_refused({"a:real=x"}, "number");
  expect_refused({"a:null=x"}, "no value");
  expect_refused({"a=1", ":a=2"}, "twice");
}
