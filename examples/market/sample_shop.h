// kSampleShop: the statements of samples/market.sql; the build makes sample_shop.cc of it. Plain data. Any thread.
#pragma once

#include <string_view>

namespace market {

extern const std::string_view kSampleShop;

}  // namespace market
