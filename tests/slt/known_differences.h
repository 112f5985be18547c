// KnownDifferences: the records that are expected to fail, from known_differences.txt. Plain data after
// loading.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "protocol/result.h"

namespace skua::slt {

// Where a record is: "test/select1.test:12".
std::string place_of(const std::string& file, std::size_t line);

class KnownDifferences {
 public:
  KnownDifferences() = default;
  static Result<KnownDifferences> load(const std::filesystem::path& path);

  bool contains(const std::string& place) const { return places_.contains(place); }
  // The lines listed for one file.
  std::vector<std::size_t> lines_of(const std::string& file) const;

 private:
  std::set<std::string> places_;
};

}  // namespace skua::slt
