// Row by row, in column order.
#include "rows.h"

#include <algorithm>

namespace steelyard {

void Rows::update(const uint8_t* data, size_t size) {
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
  for (size_t i = 0; i < count; i++) {
    double x = values[i];
    if (x - x == 0) sum_ += x * x;
    if (++column_ < columns_) continue;
    norms_.push_back(finite_or_none(std::sqrt(sum_)));
    sum_ = 0;
    column_ = 0;
  }
}

void Rows::write(Record& record) const {
  record.put(uint64_t{norms_.size()});
  for (double norm : norms_) record.put(norm);
  for (size_t i = 0; i < digests_.size(); i += 32) record.put_digest(digests_.data() + i);
}

}  // namespace steelyard
