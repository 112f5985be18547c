// ParameterRows::Rows: the columnar builder behind the public class. One thread at a time.
#pragma once

#include "protocol/row_batch.h"
#include "skua/parameters.h"

namespace skua {

class ParameterRows::Rows : public RowBatchBuilder {
 public:
  using RowBatchBuilder::RowBatchBuilder;
};

}  // namespace skua
