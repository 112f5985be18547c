// kPageHtml: what a browser is shown at /. Plain data. Any thread.
#pragma once

#include <string_view>

namespace market {

inline constexpr std::string_view kPageHtml = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Market</title>
<h1>Market</h1>
<p>A small shop in a SQLite database that Skua serves. Answers are JSON; errors are <code>{"error": "..."}</code>.</p>
<ul>
<li><a href="/api/customers">GET /api/customers</a>: everybody, with the address if there is one</li>
<li><a href="/api/orders/1">GET /api/orders/{customer}</a>: the orders of one customer</li>
<li><a href="/api/order_total/1">GET /api/order_total/{order}</a>: what an order costs; null if there is none</li>
<li>GET or POST /api/orders_total: the same for each of <code>{"orders": [1, 2, 3]}</code>, as of one moment</li>
<li><a href="/api/orders_between_dates/2024-03-09/2024-03-01">GET /api/orders_between_dates/{before}/{after}</a>:
orders before the first date and not before the second; a date is <code>2024-03-01</code> or
<code>2024-03-01T09:30:00</code></li>
<li>POST /api/add_new_order: <code>{"customer": 1, "items": [{"item": 1, "quantity": 2}, {"item": 3}]}</code>, all of it or
nothing</li>
</ul>
</html>
)";

}  // namespace market
