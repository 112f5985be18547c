#include "client/cli/script_parameters.h"

#include <fmt/format.h>

#include <charconv>

namespace skua::cli {

namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && is_digit(text[at + count])) ++count;
  return count;
}

// RFC 8259, section 6.
bool is_json_number(std::string_view text, bool& is_integer) {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  is_integer = true;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
    is_integer = false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) return false;
    at += exponent;
    is_integer = false;
  }
  return at == text.size();
}

template <class T>
bool parse_whole(std::string_view text, T& value) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

Result<Value> blob_of(std::string_view hex) {
  Blob blob;
  if (hex.size() % 2 != 0)
    return make_error(ErrorCode::kUsage, "a blob needs an even number of hexadecimal digits");
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned byte = 0;
    const auto end = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (end.ptr != hex.data() + i + 2)
      return make_error(ErrorCode::kUsage, "a blob is written in hexadecimal digits");
    blob.bytes += static_cast<char>(byte);
  }
  return Value(std::move(blob));
}

Result<Value> typed_value(std::string_view type, std::string_view text) {
  if (type == "text") return Value(std::string(text));
  if (type == "blob") return blob_of(text);
  if (type == "null") {
    if (text.empty()) return Value(Null{});
    return make_error(ErrorCode::kUsage, "a null has no value: write key:null=");
  }
  if (type == "integer") {
    std::int64_t integer = 0;
    if (parse_whole(text, integer)) return Value(integer);
    return make_error(ErrorCode::kUsage, "the value is not a 64-bit integer");
  }
  if (type == "real") {
    double real = 0;
    if (parse_whole(text, real)) return Value(real);
    return make_error(ErrorCode::kUsage, "the value is not a number");
  }
  return make_error(ErrorCode::kUsage,
                    fmt::format("\"{}\" is not a type: integer, real, text, blob or null", type));
}

std::string_view without_prefix(std::string_view name) {
  if (!name.empty() && std::string_view(":@$?").find(name[0]) != std::string_view::npos) name.remove_prefix(1);
  return name;
}

}  // namespace

Value guessed_value(std::string_view text) {
  bool is_integer = false;
  if (!is_json_number(text, is_integer)) return std::string(text);
  std::int64_t integer = 0;
  if (is_integer) return parse_whole(text, integer) ? Value(integer) : Value(std::string(text));
  double real = 0;
  return parse_whole(text, real) ? Value(real) : Value(std::string(text));
}

Result<ScriptParameters> ScriptParameters::parse(const std::vector<std::string>& definitions) {
  ScriptParameters parameters;
  for (const std::string& definition : definitions) {
    const std::size_t equals = definition.find('=');
    if (equals == std::string::npos) {
      return make_error(ErrorCode::kUsage, fmt::format("--param {}: key=value is expected", definition));
    }
    const std::string_view text = std::string_view(definition).substr(equals + 1);
    std::string_view key = without_prefix(std::string_view(definition).substr(0, equals));
    Value value;
    const std::size_t colon = key.rfind(':');
    if (colon == std::string_view::npos) {
      value = guessed_value(text);
    } else {
      Result<Value> typed = typed_value(key.substr(colon + 1), text);
      if (!typed) {
        return make_error(ErrorCode::kUsage, fmt::format("--param {}: {}", definition, typed.error().message));
      }
      value = std::move(*typed);
      key = key.substr(0, colon);
    }
    if (key.empty())
      return make_error(ErrorCode::kUsage, fmt::format("--param {}: the key is empty", definition));
    if (!parameters.values_.emplace(key, std::move(value)).second) {
      return make_error(ErrorCode::kUsage, fmt::format("--param {} is given twice", key));
    }
  }
  return parameters;
}

Result<Parameters> ScriptParameters::for_statement(const std::vector<std::string>& names) {
  Parameters parameters;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string position = std::to_string(i + 1);
    std::string key(without_prefix(names[i]));
    if (key.empty() || values_.find(key) == values_.end()) key = position;
    const auto found = values_.find(key);
    if (found == values_.end()) {
      const std::string wanted =
          without_prefix(names[i]).empty() ? position : std::string(without_prefix(names[i]));
      return make_error(ErrorCode::kParameter,
                        fmt::format("the statement needs a value for {}: give it with --param {}=VALUE",
                                    names[i].empty() ? "its parameter " + position : names[i], wanted));
    }
    used_.insert(key);
    parameters.add(found->second);
  }
  return parameters;
}

std::vector<std::string> ScriptParameters::unused() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : values_) {
    if (used_.count(key) == 0) keys.push_back(key);
  }
  return keys;
}

}  // namespace skua::cli
