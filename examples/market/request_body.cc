#include "examples/market/request_body.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <string>

namespace market {

namespace {

skua::Error malformed(const std::string& why) {
  return skua::make_error(skua::ErrorCode::kUsage, "the body is not as it should be: " + why);
}

skua::Result<rapidjson::Document> parse_object(std::string_view body) {
  rapidjson::Document document;
  // Iterative: a body of a million brackets must not need as many frames on the stack.
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(body.data(), body.size());
  if (document.HasParseError()) {
    return malformed(std::string(rapidjson::GetParseError_En(document.GetParseError())) + " At byte " +
                     std::to_string(document.GetErrorOffset()) + ".");
  }
  if (!document.IsObject()) return malformed("it is not an object");
  return document;
}

skua::Result<std::int64_t> integer_member(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsInt64()) {
    return malformed(std::string("\"") + name + "\" is not a whole number of 64 bits");
  }
  return member->value.GetInt64();
}

// Between `least` and `most` elements.
skua::Result<const rapidjson::Value*> array_member(const rapidjson::Value& object, const char* name, std::size_t least,
                                                   std::size_t most) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsArray()) return malformed(std::string("\"") + name + "\" is not an array");
  if (member->value.Size() < least || member->value.Size() > most) {
    return malformed(std::string("\"") + name + "\" has " + std::to_string(least) + " to " + std::to_string(most) + " elements");
  }
  return &member->value;
}

}  // namespace

skua::Result<std::vector<std::int64_t>> parse_orders(std::string_view body) {
  SKUA_ASSIGN(const rapidjson::Document document, parse_object(body));
  SKUA_ASSIGN(const rapidjson::Value* array, array_member(document, "orders", 0, kOrdersMax));
  std::vector<std::int64_t> orders;
  for (const rapidjson::Value& order : array->GetArray()) {
    if (!order.IsInt64()) return malformed("\"orders\" has something else than whole numbers of 64 bits");
    orders.push_back(order.GetInt64());
  }
  return orders;
}

skua::Result<NewOrder> parse_new_order(std::string_view body) {
  SKUA_ASSIGN(const rapidjson::Document document, parse_object(body));
  NewOrder order;
  SKUA_ASSIGN(order.customer, integer_member(document, "customer"));
  SKUA_ASSIGN(const rapidjson::Value* items, array_member(document, "items", 1, kLinesMax));
  for (const rapidjson::Value& item : items->GetArray()) {
    if (!item.IsObject()) return malformed("\"items\" has something else than objects");
    OrderLine line;
    SKUA_ASSIGN(line.item, integer_member(item, "item"));
    if (item.HasMember("quantity")) {
      SKUA_ASSIGN(line.quantity, integer_member(item, "quantity"));
    }
    order.lines.push_back(line);
  }
  return order;
}

}  // namespace market
