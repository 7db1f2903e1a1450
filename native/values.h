// Statistics of a stream of values that is too wide for a histogram of codes: classes, extremes, magnitudes
// and moments.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "rows.h"
#include "stats.h"

namespace steelyard {

// Central moments of n values: m2 = sum of (x - mean)^2, and so on (Pebay, SAND2008-6212).
struct Moments {
  double n = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0;
};
Moments merge(const Moments& a, const Moments& b);
// Fills mean, std, skewness and kurtosis; what is not finite stays null.
void write_moments(const Moments& moments, Stats& stats);

// Counts of magnitudes in quarter octaves by sign; the bins are fixed, so any two tensors can be compared.
class Magnitudes {
 public:
  Magnitudes() : counts_{std::vector<uint64_t>(kBins), std::vector<uint64_t>(kBins)} {}
  // `value` is finite and not zero.
  void add(double value, uint64_t count);
  // Hands over what was counted and begins again.
  void finish(MagnitudeRun& negative, MagnitudeRun& positive);

 private:
  static constexpr int kFirst = -1074 * 4;  // the smallest subnormal double
  static constexpr int kBins = (1074 + 1024) * 4;
  MagnitudeRun take(int sign);

  std::vector<uint64_t> counts_[2];
  int low_[2] = {kBins, kBins}, high_[2] = {-1, -1};
};

// Blocks of 16,384 values counted from the tensor's first element, whatever the chunks were: the order of
// every floating-point operation is fixed by the definition, so any thread count and any kernel give the same
// bits.
class Values {
 public:
  static constexpr size_t kBlock = 16384;

  // `rows` may be null.
  void begin(Rows* rows);
  // Room for the next values of this block, at least one; call added() after writing them.
  double* room() { return block_.data() + used_; }
  size_t space() const { return kBlock - used_; }
  void added(size_t count) {
    used_ += count;
    if (used_ == kBlock) close_block();
  }
  // Fills classes, extremes, moments, norms and magnitudes.
  void finish(Stats& stats);

 private:
  void close_block();
  size_t classify();
  void count_magnitudes();
  template <bool kAllFinite>
  Moments measure_block(size_t finite);
  void push(Moments moments);

  std::vector<double> block_ = std::vector<double>(kBlock);
  size_t used_ = 0;
  Rows* rows_ = nullptr;

  uint64_t count_ = 0, zero_ = 0, negative_zero_ = 0, nan_ = 0, pos_inf_ = 0, neg_inf_ = 0;
  double min_ = 0, max_ = 0, l1_ = 0, squares_ = 0;
  std::vector<uint32_t> codes_ = std::vector<uint32_t>(1 << 14);  // histogram of leading 14 bits
  uint64_t uncounted_ = 0;  // values in codes_ that magnitudes_ does not know yet
  Magnitudes magnitudes_;
  struct Subtree {
    Moments moments;
    uint64_t blocks;
  };
  std::vector<Subtree> subtrees_;
};

}  // namespace steelyard
