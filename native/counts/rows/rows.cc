// Row by row, in column order.
#include "counts/rows/rows.h"

#include <algorithm>
#include <bit>

namespace steelyard {

void Rows::update_digests(const uint8_t* data, size_t size) {
  while (size > 0) {
    size_t taken = static_cast<size_t>(std::min<uint64_t>(size, size_ - position_));
    digest_.update(data, taken);
    data += taken;
    size -= taken;
    position_ += taken;
    if (position_ < size_) return;
    digests_.resize(digests_.size() + 32);
    digest_.finish(digests_.data() + digests_.size() - 32);
    position_ = 0;
  }
}

void Rows::add(const double* values, size_t count) {
  while (count > 0) {
    const size_t taken = static_cast<size_t>(std::min<uint64_t>(count, columns_ - column_));
    if (norms_wanted_) add_squares(values, taken);
    if (sketch_.wanted()) sketch_.add(values, taken, column_);
    column_ += taken;
    if (column_ == columns_) end_row();
    values += taken;
    count -= taken;
  }
}

void Rows::add_squares(const double* values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double x = values[i];
    if (x - x == 0) sum_ += x * x;
  }
}

void Rows::end_row() {
  if (norms_wanted_) norms_.push_back(finite_or_none(std::sqrt(sum_)));
  if (sketch_.wanted()) sketch_.end_row();
  sum_ = 0;
  column_ = 0;
}

void Rows::write(Record& record) const {
  record.put(uint64_t{norms_.size()});
  for (double norm : norms_) record.put(norm);
  for (size_t i = 0; i < digests_.size(); i += 32) record.put_digest(digests_.data() + i);
  // Two floats to a slot, the first in its low half: in memory they stand as the profile has them.
  const std::vector<double>& sketch = sketch_.rows();
  record.put(uint64_t{sketch.size() / kSketchColumns});
  for (size_t i = 0; i < sketch.size(); i += 2) {
    const float pair[2] = {static_cast<float>(sketch[i]), static_cast<float>(sketch[i + 1])};
    record.put_bits(std::bit_cast<uint64_t>(pair));
  }
}

}  // namespace steelyard
