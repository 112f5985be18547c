#include "skua/parameters.h"

#include "client/src/parameter_rows.h"

namespace skua {

ParameterRows::ParameterRows(std::size_t column_count, std::vector<std::string> names)
    : rows_(std::make_unique<Rows>(column_count)), names_(std::move(names)) {}
ParameterRows::ParameterRows(ParameterRows&&) noexcept = default;
ParameterRows& ParameterRows::operator=(ParameterRows&&) noexcept = default;
ParameterRows::~ParameterRows() = default;

void ParameterRows::append(const ValueView& value) { rows_->append(value); }
void ParameterRows::end_row() { rows_->end_row(); }
void ParameterRows::clear() { rows_->clear(); }

std::size_t ParameterRows::row_count() const { return rows_->row_count(); }
std::size_t ParameterRows::column_count() const { return rows_->column_count(); }
std::size_t ParameterRows::byte_count() const { return rows_->byte_count(); }

}  // namespace skua
