// Norm and digest of every row of a 2-D tensor: an embedding edited in place keeps its tensor's norm, not its
// row's digest.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sha256.h"
#include "stats.h"

namespace steelyard {

class Rows {
 public:
  explicit Rows(Sha256Kernel kernel) : digest_(kernel) {}

  // `columns` elements and `size` bytes per row; 0 columns: no rows wanted.
  void begin(uint64_t columns, uint64_t size) {
    columns_ = columns;
    size_ = size;
    column_ = position_ = 0;
    sum_ = 0;
    norms_.clear();
    digests_.clear();
  }
  bool wanted() const { return columns_ > 0; }

  void update(const uint8_t* data, size_t size);
  // Values in order; those that are not finite are left out of the norm.
  void add(const double* values, size_t count);
  void write(Record& record) const;

 private:
  Sha256 digest_;
  uint64_t columns_ = 0, size_ = 0;
  uint64_t column_ = 0, position_ = 0;
  double sum_ = 0;
  std::vector<double> norms_;
  std::vector<uint8_t> digests_;
};

}  // namespace steelyard
