#include "tests/slt/known_differences.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace skua::slt {

std::string place_of(const std::string& file, std::size_t line) { return fmt::format("{}:{}", file, line); }

std::vector<std::size_t> KnownDifferences::lines_of(const std::string& file) const {
  const std::string prefix = file + ":";
  std::vector<std::size_t> lines;
  for (auto place = places_.lower_bound(prefix); place != places_.end() && place->starts_with(prefix);
       ++place) {
    lines.push_back(std::stoul(place->substr(prefix.size())));
  }
  return lines;
}

Result<KnownDifferences> KnownDifferences::load(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return make_error(ErrorCode::kIo, fmt::format("cannot read {}", path.string()));
  KnownDifferences known;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string place;
    if (!(words >> place) || place.front() == '#') continue;
    const std::size_t colon = place.rfind(':');
    const std::string digits = colon == std::string::npos ? "" : place.substr(colon + 1);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) {
      return make_error(ErrorCode::kUsage, fmt::format("{}: '{}' is not FILE:LINE", path.string(), place));
    }
    known.places_.insert(place);
  }
  return known;
}

}  // namespace skua::slt
