#include "examples/market/routes.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

#include "examples/market/page.h"
#include "examples/market/request_body.h"

namespace market {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr unsigned kMalformed = MHD_HTTP_UNPROCESSABLE_CONTENT;
constexpr std::size_t kSegmentsMax = 5;

unsigned status_of(const skua::Error& error) {
  switch (error.code) {
    case skua::ErrorCode::kConstraint: return MHD_HTTP_BAD_REQUEST;
    case skua::ErrorCode::kUnavailable:
    case skua::ErrorCode::kLimit:
    case skua::ErrorCode::kDeadline:
    case skua::ErrorCode::kConnect:
    case skua::ErrorCode::kLost: return MHD_HTTP_SERVICE_UNAVAILABLE;
    default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
  }
}

// What is between the slashes. One more than the most means too many.
std::span<std::string_view> split(std::string_view path, std::array<std::string_view, kSegmentsMax>& segments) {
  std::size_t count = 0;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (count < kSegmentsMax) {
    const std::size_t slash = path.find('/');
    segments[count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return {segments.data(), count};
}

std::optional<std::int64_t> parse_id(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

// YYYY-MM-DD, or with hh:mm:ss behind it, as SQLite writes it.
std::optional<std::string> parse_moment(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  if (text.size() != kForm.size() && text.size() != kForm.find(' ')) return std::nullopt;
  std::string moment(text);
  if (moment.size() == kForm.size() && moment[kForm.find(' ')] == 'T') moment[kForm.find(' ')] = ' ';
  for (std::size_t i = 0; i < moment.size(); ++i) {
    const bool fits = kForm[i] == '0' ? moment[i] >= '0' && moment[i] <= '9' : moment[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  return moment;
}

void write_customer(JsonText& json, const skua::Batch& rows, std::size_t row) {
  json.begin_object().key("id").value(rows.at(row, 0)).key("name").value(rows.at(row, 1)).key("address");
  if (const skua::ValueView flat_number = rows.at(row, 2); flat_number.is_null()) {
    json.null();
  } else {
    json.begin_object().key("flat_number").value(flat_number).key("post_code").value(rows.at(row, 3)).end_object();
  }
  json.end_object();
}

void write_order(JsonText& json, const skua::Batch& rows, std::size_t row) {
  json.begin_object().key("id").value(rows.at(row, 0)).key("customer").value(rows.at(row, 1));
  json.key("order_time").value(rows.at(row, 2)).end_object();
}

void write_total(JsonText& json, std::int64_t order, const skua::Value& total) {
  json.begin_object().key("order").integer(order).key("total").value(skua::ValueView::of(total)).end_object();
}

}  // namespace

struct Routes::Route {
  std::string_view name;
  std::size_t argument_count;
  std::string_view methods;
  Answer (Routes::*answer)(HttpExchange&, Arguments);
};

const Routes::Route Routes::kRoutes[] = {
    {"customers", 0, "GET", &Routes::customers},
    {"orders", 1, "GET", &Routes::orders},
    {"order_total", 1, "GET", &Routes::order_total},
    {"orders_total", 0, "GET, POST", &Routes::orders_total},
    {"orders_between_dates", 2, "GET", &Routes::orders_between_dates},
    {"add_new_order", 0, "POST", &Routes::add_new_order},
};

skua::Task<skua::Status> Routes::answer(HttpExchange& exchange) {
  std::array<std::string_view, kSegmentsMax> memory;
  const std::span<std::string_view> segments = split(exchange.path(), memory);
  const Route* found = nullptr;
  static constexpr Route kPage = {"", 0, "GET", &Routes::page};
  if (exchange.path() == "/") found = &kPage;
  for (const Route& route : kRoutes) {
    if (segments.size() == 2 + route.argument_count && segments[0] == "api" && segments[1] == route.name) found = &route;
  }
  if (found == nullptr || segments.back().empty() != (found == &kPage)) {
    co_return refuse(exchange, MHD_HTTP_NOT_FOUND, "there is nothing at this path; / says what there is");
  }
  if (found->methods.find(exchange.method()) == std::string_view::npos) {
    co_return refuse(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, std::string("this path takes ").append(found->methods));
  }
  if (exchange.is_too_large()) {
    co_return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "a body has at most " + std::to_string(kBodyBytesMax) + " bytes");
  }
  const skua::Status status = co_await (this->*found->answer)(exchange, segments.last(found->argument_count));
  if (!status && !exchange.is_answered()) co_return refuse(exchange, status_of(status.error()), status.error().message);
  co_return status;
}

skua::Status Routes::refuse(HttpExchange& exchange, unsigned status, std::string_view why) {
  json_.clear();
  json_.begin_object().key("error").text(why).end_object();
  exchange.answer(status, kJson, json_.text());
  return {};
}

Routes::Answer Routes::answer_rows(HttpExchange& exchange, skua::Task<skua::Result<skua::AsyncRowStream>> query,
                                   WriteRow write_row) {
  SKUA_CO_ASSIGN(skua::AsyncRowStream rows, co_await query);
  SKUA_CO_ASSIGN(skua::Batch batch, co_await rows.next_batch());
  SKUA_CO_ASSIGN(skua::Batch next, co_await rows.next_batch());
  if (next.row_count() == 0) {
    json_.clear();
    json_.begin_array();
    for (std::size_t row = 0; row < batch.row_count(); ++row) write_row(json_, batch, row);
    exchange.answer(MHD_HTTP_OK, kJson, json_.end_array().text());
    co_return skua::Status();
  }
  exchange.begin_parts(MHD_HTTP_OK, kJson);
  JsonText json;
  json.begin_array();
  while (batch.row_count() > 0) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) write_row(json, batch, row);
    co_await exchange.send(json.text());
    json.drop_text();
    batch = std::move(next);
    SKUA_CO_ASSIGN(next, co_await rows.next_batch());
  }
  co_await exchange.send(json.end_array().text());
  co_return skua::Status();
}

Routes::Answer Routes::page(HttpExchange& exchange, Arguments) {
  exchange.answer(MHD_HTTP_OK, "text/html; charset=utf-8", kPageHtml);
  co_return skua::Status();
}

Routes::Answer Routes::customers(HttpExchange& exchange, Arguments) {
  return answer_rows(exchange, market_.customers(), write_customer);
}

Routes::Answer Routes::orders(HttpExchange& exchange, Arguments arguments) {
  const std::optional<std::int64_t> customer = parse_id(arguments[0]);
  if (!customer) co_return refuse(exchange, kMalformed, "a customer's number is a whole number of 64 bits");
  co_return co_await answer_rows(exchange, market_.orders(*customer), write_order);
}

Routes::Answer Routes::orders_between_dates(HttpExchange& exchange, Arguments arguments) {
  std::optional<std::string> before = parse_moment(arguments[0]);
  std::optional<std::string> after = parse_moment(arguments[1]);
  if (!before || !after) co_return refuse(exchange, kMalformed, "a date is YYYY-MM-DD or YYYY-MM-DDThh:mm:ss");
  co_return co_await answer_rows(exchange, market_.orders_between(std::move(*before), std::move(*after)), write_order);
}

Routes::Answer Routes::order_total(HttpExchange& exchange, Arguments arguments) {
  const std::optional<std::int64_t> order = parse_id(arguments[0]);
  if (!order) co_return refuse(exchange, kMalformed, "an order's number is a whole number of 64 bits");
  SKUA_CO_ASSIGN(const skua::Value total, co_await market_.order_total(*order));
  json_.clear();
  write_total(json_, *order, total);
  exchange.answer(MHD_HTTP_OK, kJson, json_.text());
  co_return skua::Status();
}

Routes::Answer Routes::orders_total(HttpExchange& exchange, Arguments) {
  const skua::Result<std::vector<std::int64_t>> orders = parse_orders(exchange.body());
  if (!orders) co_return refuse(exchange, MHD_HTTP_BAD_REQUEST, orders.error().message);
  SKUA_CO_ASSIGN(const std::vector<skua::Value> totals, co_await market_.orders_total(*orders));
  json_.clear();
  json_.begin_array();
  for (std::size_t i = 0; i < totals.size(); ++i) write_total(json_, (*orders)[i], totals[i]);
  exchange.answer(MHD_HTTP_OK, kJson, json_.end_array().text());
  co_return skua::Status();
}

Routes::Answer Routes::add_new_order(HttpExchange& exchange, Arguments) {
  skua::Result<NewOrder> order = parse_new_order(exchange.body());
  if (!order) co_return refuse(exchange, MHD_HTTP_BAD_REQUEST, order.error().message);
  SKUA_CO_ASSIGN(const std::int64_t number, co_await market_.add_order(order->customer, std::move(order->lines)));
  json_.clear();
  json_.begin_object().key("order").integer(number).end_object();
  exchange.answer(MHD_HTTP_CREATED, kJson, json_.text());
  co_return skua::Status();
}

}  // namespace market
