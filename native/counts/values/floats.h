// F32, the components of C64 among it. What the leading 16 bits and the two low bytes say comes from their
// histograms; only sums, and codes out of the ordinary, are looked at one by one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counts/codes/codes.h"
#include "counts/dispatch.h"
#include "counts/moments/moments.h"
#include "counts/rows/rows.h"
#include "counts/values/sweep.h"
#include "digest/woven.h"
#include "record/stats.h"

namespace steelyard {

// Different NaN codes, as far as they are counted.
class DistinctNans {
 public:
  void begin() { codes_.clear(); }
  void add(uint64_t code);
  uint64_t count() const { return codes_.size(); }
  const std::vector<uint64_t>& codes() const { return codes_; }

 private:
  std::vector<uint64_t> codes_;  // sorted
};

class FloatCounts {
 public:
  explicit FloatCounts(const Kernel& kernel) : kernel_(kernel), codes_(kernel.codes) {}
  // `rows` may be null. `small`: the tensor has few elements.
  void begin(Rows* rows, bool small);
  // Whole F32s. What offer() returned must be counted, update() does the rest.
  Tally offer(const uint8_t* data, size_t size);
  void update(const uint8_t* data, size_t size);
  void finish(Stats& stats);
  const std::vector<uint64_t>& nans() const { return nans_.codes(); }

 private:
  void sweep_block(const uint8_t* data, size_t count);
  size_t count_specials(const uint8_t* data, size_t count);
  void finish_codes(Stats& stats);

  const Kernel& kernel_;
  Rows* rows_ = nullptr;
  bool small_ = false;
  CodeHistogram codes_;  // leading 16 bits; after them the bins of byte 0 and of byte 1
  uint64_t trailing_zeros_[24];
  uint64_t elements_ = 0, zero_ = 0, negative_zero_ = 0, nan_ = 0, pos_inf_ = 0, neg_inf_ = 0;
  DistinctNans nans_;
  Magnitudes magnitudes_;
  SweepTotals totals_;
  std::vector<uint8_t> block_;  // of the block at hand what earlier chunks held
};

}  // namespace steelyard
