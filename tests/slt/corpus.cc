#include "tests/slt/corpus.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace skua::slt {

namespace fs = std::filesystem;

namespace {

// Says which archive a folder was unpacked from, so that another archive is not taken for it.
std::string stamp_of(const fs::path& archive) {
  return fmt::format("{} {}\n", fs::file_size(archive),
                     fs::last_write_time(archive).time_since_epoch().count());
}

Result<fs::path> unpack(const fs::path& archive, const fs::path& folder) {
  const fs::path stamp_path = folder / "unpacked";
  const std::string stamp = stamp_of(archive);
  if (fs::exists(stamp_path) && test::read_file(stamp_path.string()) == stamp) return folder;
  fs::remove_all(folder);
  fs::create_directories(folder);
  const test::ProcessEnd tar = test::run({"tar", "-xJf", archive.string(), "-C", folder.string()});
  if (tar.exit_status != 0) {
    return make_error(ErrorCode::kIo, fmt::format("tar could not unpack {}: {}", archive.string(), tar.error));
  }
  std::ofstream(stamp_path) << stamp;
  return folder;
}

// "/x/y/test/select1.test" is "test/select1.test"; a file below no `test` folder is named from the corpus
// folder.
std::string name_of(const fs::path& relative) {
  const std::string name = relative.generic_string();
  const std::size_t at = ("/" + name).find("/test/");
  return at == std::string::npos ? name : name.substr(at);
}

}  // namespace

Result<std::optional<std::vector<CorpusFile>>> open_corpus(const CorpusOptions& options) {
  using Files = std::optional<std::vector<CorpusFile>>;
  if (options.source.empty() || !fs::exists(options.source)) return Files();
  fs::path folder = options.source;
  if (!fs::is_directory(folder)) {
    SKUA_ASSIGN(folder, unpack(options.source, options.unpack_to));
  }
  std::vector<CorpusFile> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".test") continue;
    std::string name = name_of(entry.path().lexically_relative(folder));
    if (!options.pattern.empty() && ::fnmatch(options.pattern.c_str(), name.c_str(), 0) != 0) continue;
    files.push_back({std::move(name), entry.path(), entry.file_size()});
  }
  std::sort(files.begin(), files.end(),
            [](const CorpusFile& a, const CorpusFile& b) { return a.name < b.name; });
  if (files.empty()) return make_error(ErrorCode::kUsage, fmt::format("no .test file in {}", folder.string()));
  return Files(std::move(files));
}

}  // namespace skua::slt
