#include "counts/values/values.h"

#include <bit>

namespace steelyard {

void Values::begin(Rows* rows) {
  rows_ = rows;
  used_ = 0;
  zero_ = negative_zero_ = nan_ = pos_inf_ = neg_inf_ = 0;
  totals_.begin();
}

// Counts classes and magnitudes of the block; returns how many values are finite.
size_t Values::classify() {
  size_t special = 0;
  for (size_t i = 0; i < used_; i++) {
    uint64_t bits = std::bit_cast<uint64_t>(block_[i]);
    codes_[bits >> 50]++;
    unsigned exponent = (bits >> 52) & 0x7ff;
    if (exponent != 0 && exponent != 0x7ff) [[likely]]
      continue;
    double x = block_[i];
    if (exponent == 0x7ff) {
      special++;
      if (x != x)
        nan_++;
      else if (x > 0)
        pos_inf_++;
      else
        neg_inf_++;
    } else if (x == 0) {
      zero_++;
      negative_zero_ += bits >> 63;
    } else {
      magnitudes_.add(x, 1);  // a subnormal double has no bin of its own among the leading bits
    }
  }
  uncounted_ += used_;
  if (uncounted_ >= uint64_t{1} << 31) count_magnitudes();  // before a 32-bit bin can overflow
  return used_ - special;
}

// The leading 14 bits of a double are its sign, exponent and two bits of mantissa: the quarter octave.
void Values::count_magnitudes() {
  for (uint64_t code = 0; code < codes_.size(); code++) {
    if (codes_[code] == 0) continue;
    unsigned exponent = (code >> 2) & 0x7ff;
    if (exponent != 0 && exponent != 0x7ff) magnitudes_.add(std::bit_cast<double>(code << 50), codes_[code]);
    codes_[code] = 0;
  }
  uncounted_ = 0;
}

void Values::close_block() {
  if (rows_ != nullptr) rows_->add(block_.data(), used_);
  BlockSums sums;
  sweeps_.doubles(reinterpret_cast<const uint8_t*>(block_.data()), used_, classify(), sums);
  totals_.add(sums);
  used_ = 0;
}

void Values::finish(Stats& stats) {
  if (used_ > 0) close_block();
  stats.has_values = true;
  stats.zero = zero_;
  stats.negative_zero = negative_zero_;
  stats.nan = nan_;
  stats.pos_inf = pos_inf_;
  stats.neg_inf = neg_inf_;
  count_magnitudes();
  magnitudes_.finish(stats.negative, stats.positive);
  totals_.write(stats);
}

}  // namespace steelyard
