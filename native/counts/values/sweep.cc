// The portable sweeps, and the sum over blocks.
#include "counts/values/sweep.h"

#include <algorithm>
#include <bit>

#include "counts/values/sweep_lanes.h"

namespace steelyard {
namespace {

void floats(const uint8_t* data, size_t count, size_t finite, BlockSums& sums) {
  sweep<16, float>(data, count, finite, sums);
}

void doubles(const uint8_t* data, size_t count, size_t finite, BlockSums& sums) {
  sweep<16, double>(data, count, finite, sums);
}

bool float_codes(const uint8_t* data, size_t count, uint64_t trailing_zeros[24]) {
  return sweep_float_codes<16>(data, count, trailing_zeros);
}

}  // namespace

const Sweeps kSweepsPortable = {floats, doubles, float_codes};

void SweepTotals::add(const BlockSums& sums) {
  tree_.push(sums.moments);
  all_.min = std::min(all_.min, sums.min);
  all_.max = std::max(all_.max, sums.max);
  all_.l1 += sums.l1;
  all_.squares += sums.squares;
  all_.moments.n += sums.moments.n;
}

void SweepTotals::write(Stats& stats) const {
  if (all_.moments.n == 0) return;
  stats.min_bits = std::bit_cast<uint64_t>(all_.min);
  stats.max_bits = std::bit_cast<uint64_t>(all_.max);
  stats.abs_max_bits = std::bit_cast<uint64_t>(std::max(std::fabs(all_.min), std::fabs(all_.max)));
  stats.l1 = finite_or_none(all_.l1);
  stats.l2 = finite_or_none(std::sqrt(all_.squares));
  // The mean of equal values may be rounded; their variance is 0 all the same.
  const bool equal = all_.min == all_.max;
  write_moments(equal ? Moments{all_.moments.n, all_.min, 0, 0, 0} : tree_.total(), stats);
}

}  // namespace steelyard
