#include "daemon/engine/log_reader.h"

#include <array>
#include <cstddef>

#include "daemon/engine/sqlite_error.h"
#include "daemon/engine/wal_format.h"

namespace skua {

namespace {

constexpr std::int64_t kSaltsOffset = 16;  // in the log's header
constexpr std::size_t kFrameSaltsOffset = 8;

std::uint32_t read_u32(const unsigned char* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | static_cast<std::uint32_t>(bytes[3]);
}

std::uint64_t read_u64(const unsigned char* bytes) {
  return static_cast<std::uint64_t>(read_u32(bytes)) << 32 | read_u32(bytes + 4);
}

}  // namespace

Status LogReader::read_file(std::int64_t offset, void* to, std::size_t bytes) const {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(writer_.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (found != SQLITE_OK || file == nullptr || file->pMethods == nullptr) {
    return make_error(ErrorCode::kInternal, "the write-ahead log is not open");
  }
  const int code = file->pMethods->xRead(file, to, static_cast<int>(bytes), offset);
  if (code == SQLITE_OK) return {};
  Error error = make_error(ErrorCode::kIo, "cannot read the write-ahead log");
  error.sqlite_code = code;
  return error;
}

Result<std::uint64_t> LogReader::salts() const {
  std::array<unsigned char, 8> bytes = {};
  SKUA_TRY(read_file(kSaltsOffset, bytes.data(), bytes.size()));
  return read_u64(bytes.data());
}

Result<std::optional<LogReader::Frame>> LogReader::read(std::uint32_t number, std::uint64_t salts,
                                                        char* page) const {
  const std::int64_t frame_bytes = static_cast<std::int64_t>(kFrameHeaderBytes) + writer_.page_bytes();
  const std::int64_t offset = kLogHeaderBytes + (static_cast<std::int64_t>(number) - 1) * frame_bytes;
  std::array<unsigned char, kFrameHeaderBytes> header = {};
  SKUA_TRY(read_file(offset, header.data(), header.size()));
  if (read_u64(header.data() + kFrameSaltsOffset) != salts) return std::optional<Frame>();
  SKUA_TRY(read_file(offset + static_cast<std::int64_t>(header.size()), page, writer_.page_bytes()));
  return std::optional(Frame{read_u32(header.data()), read_u32(header.data() + 4)});
}

}  // namespace skua
