#include "client/c/stream.h"

#include <utility>

#include "client/c/batch.h"
#include "client/c/error.h"
#include "client/c/result.h"

using namespace skua::c;

size_t skua_stream_column_count(const skua_stream* stream) {
  return stream == nullptr ? 0 : stream->rows.columns().size();
}

const char* skua_stream_column_name(const skua_stream* stream, size_t column) {
  return stream == nullptr ? nullptr : name_of(stream->rows.columns(), column);
}

const char* skua_stream_declared_type(const skua_stream* stream, size_t column) {
  return stream == nullptr ? nullptr : declared_type_of(stream->rows.columns(), column);
}

ptrdiff_t skua_stream_find_column(const skua_stream* stream, const char* name) {
  return stream == nullptr ? -1 : find_column(stream->rows.columns(), name);
}

skua_code skua_stream_next_batch(skua_stream* stream, skua_batch** batch, skua_error** error) {
  if (batch != nullptr) *batch = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(stream);
    SKUA_REQUIRE(batch);
    SKUA_ASSIGN(skua::Batch next, stream->rows.next_batch());
    if (next.row_count() > 0) {
      *batch = new skua_batch(std::move(next));
    } else {
      stream->summary = summary_of(stream->rows.summary());
    }
    return {};
  });
}

const skua_summary* skua_stream_summary(const skua_stream* stream) {
  return stream == nullptr || !stream->summary ? nullptr : &*stream->summary;
}

void skua_stream_free(skua_stream* stream) { delete stream; }
