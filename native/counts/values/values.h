// Statistics of a stream of values that is too wide for a histogram of codes: classes, extremes, magnitudes
// and moments.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counts/moments/moments.h"
#include "counts/rows/rows.h"
#include "counts/values/sweep.h"
#include "record/stats.h"

namespace steelyard {

// Blocks of 16,384 values counted from the tensor's first element, whatever the chunks were: the order of
// every floating-point operation is fixed by the definition, so any thread count and any kernel give the same
// bits.
class Values {
 public:
  explicit Values(const Sweeps& sweeps) : sweeps_(sweeps) {}
  // `rows` may be null.
  void begin(Rows* rows);
  // Room for the next values of this block, at least one; call added() after writing them.
  double* room() { return block_.data() + used_; }
  size_t space() const { return kSweepBlock - used_; }
  void added(size_t count) {
    used_ += count;
    if (used_ == kSweepBlock) close_block();
  }
  // Fills classes, extremes, moments, norms and magnitudes.
  void finish(Stats& stats);

 private:
  void close_block();
  size_t classify();
  void count_magnitudes();

  const Sweeps& sweeps_;
  std::vector<double> block_ = std::vector<double>(kSweepBlock);
  size_t used_ = 0;
  Rows* rows_ = nullptr;

  uint64_t zero_ = 0, negative_zero_ = 0, nan_ = 0, pos_inf_ = 0, neg_inf_ = 0;
  std::vector<uint32_t> codes_ = std::vector<uint32_t>(1 << 14);  // histogram of leading 14 bits
  uint64_t uncounted_ = 0;  // values in codes_ that magnitudes_ does not know yet
  Magnitudes magnitudes_;
  SweepTotals totals_;
};

}  // namespace steelyard
