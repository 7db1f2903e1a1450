// Power sums over all entries of a product of two long factors, and the columns that they are made of.
#pragma once
#include <cstddef>
#include <vector>

#include "counts/moments/lanes.h"

namespace steelyard {

// Columns of one length, each filled with zeros up to a multiple of eight: a sum over all of it is one over
// lanes, in an order that does not depend on the machine.
class Columns {
 public:
  explicit Columns(size_t rows) : rows_(rows), padded_((rows + kLanes - 1) / kLanes * kLanes) {}
  void append(size_t count) { values_.resize(values_.size() + count * padded_); }
  void append(const Columns& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  }

  size_t rows() const { return rows_; }
  size_t padded() const { return padded_; }
  size_t count() const { return values_.size() / padded_; }
  double* operator[](size_t column) { return values_.data() + column * padded_; }
  const double* operator[](size_t column) const { return values_.data() + column * padded_; }

 private:
  size_t rows_, padded_;
  std::vector<double> values_;
};

// Of a multiple of eight elements.
double dot(const double* x, const double* y, size_t count);

// Sums of x, x^2, x^3 and x^4 over all entries x of left * right^T.
void sum_entries(const Columns& left, const Columns& right, double sums[4]);

}  // namespace steelyard
