// Corpus: the logic-test files, in a folder or in a .tar.xz that is unpacked once into a folder of the build.
//
// Owns nothing on disk but what it unpacks. One thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "protocol/result.h"

namespace skua::slt {

struct CorpusFile {
  std::string name;  // from the folder that holds `test/`: "test/select1.test"
  std::filesystem::path path;
  std::uintmax_t byte_count = 0;
};

struct CorpusOptions {
  std::filesystem::path source;     // a folder or an archive
  std::filesystem::path unpack_to;  // where an archive is unpacked to
  std::string pattern;              // a shell pattern for names; empty: all
};

// The files in the order of their names. Nothing if the source does not exist.
Result<std::optional<std::vector<CorpusFile>>> open_corpus(const CorpusOptions& options);

}  // namespace skua::slt
