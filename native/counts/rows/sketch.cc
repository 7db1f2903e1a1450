// Sixteen sums at once, in vectors that every CPU has: one way for all of them.
#include "counts/rows/sketch.h"

#include <algorithm>
#include <cstring>

#include "counts/moments/lanes.h"

namespace steelyard {
namespace {

using V = Vectors<16>;
constexpr size_t kParts = kSketchColumns / V::kWidth;

// Sign bits for a pair of sums.
constexpr uint64_t kMinus = uint64_t{1} << 63;
alignas(16) constexpr uint64_t kFlips[4][V::kWidth] = {{0, 0}, {kMinus, 0}, {0, kMinus}, {kMinus, kMinus}};

}  // namespace

void Sketch::begin(uint64_t columns, uint64_t seed) {
  if (columns != signs_.size() || seed != seed_) {
    signs_.resize(columns);
    for (uint64_t i = 0; i < columns; i++) signs_[i] = sketch_signs(seed, i);
    seed_ = seed;
  }
  std::fill(row_, row_ + kSketchColumns, 0);
  rows_.clear();
}

void Sketch::add(const double* values, size_t count, uint64_t column) {
  V::Doubles sums[kParts];
  std::memcpy(sums, row_, sizeof row_);
  for (size_t i = 0; i < count; i++) {
    const double x = values[i];
    if (x - x != 0) [[unlikely]]
      continue;
    const V::Doubles both = {x, x};
    const unsigned signs = signs_[column + i];
    for (size_t part = 0; part < kParts; part++) {
      V::Longs flips;
      load(flips, kFlips[signs >> (V::kWidth * part) & 3]);
      sums[part] += (V::Doubles)((V::Longs)both ^ flips);
    }
  }
  std::memcpy(row_, sums, sizeof row_);
}

void Sketch::end_row() {
  rows_.insert(rows_.end(), row_, row_ + kSketchColumns);
  std::fill(row_, row_ + kSketchColumns, 0);
}

}  // namespace steelyard
