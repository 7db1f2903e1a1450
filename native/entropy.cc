// libm's log2 differs by an ulp between platforms and would make two honest machines disagree, so the
// logarithm is made of operations that IEEE 754 defines to the last bit. Summing log2(total/count) instead of
// subtracting c*log2(c) keeps full precision when one value dominates.
#include "entropy.h"

#include <algorithm>
#include <cstring>

#include "lanes.h"

namespace steelyard {
namespace {

using Doubles = Vectors<16>::Doubles;
using Longs = Vectors<16>::Longs;
constexpr size_t kWidth = Vectors<16>::kWidth;

// count * log2(total / count); 0 where count is 0.
void information(Doubles& out, double total, const Doubles& counts) {
  // total / count = 2^shift * r with r in (1/2, 2); then ln r = 2 atanh((r - 1) / (r + 1)), and the fraction
  // is a quotient of two integers.
  const Doubles numerator = Doubles{} + total;
  const Longs none = counts == 0;
  const Doubles present = (Doubles)(((Longs)numerator & none) | ((Longs)counts & ~none));
  const Longs exponents = (Longs)((((Longs)numerator >> 52) - ((Longs)present >> 52)));
  Doubles denominator = (Doubles)((Longs)present + (exponents << 52));
  Doubles shift;
  to_doubles(shift, exponents);
  // Bring r into [1/sqrt 2, sqrt 2), where the series converges fast.
  const Doubles one = Doubles{} + 1.0;
  const Longs high = numerator * numerator >= 2 * denominator * denominator;
  const Longs low = 2 * numerator * numerator < denominator * denominator;
  denominator = (Doubles)((Longs)denominator + (high & (int64_t{1} << 52)) - (low & (int64_t{1} << 52)));
  shift = shift + (Doubles)((Longs)one & high) - (Doubles)((Longs)one & low);

  const Doubles s = (numerator - denominator) / (numerator + denominator);  // |s| < 0.172
  const Doubles z = s * s;
  Doubles series = {};
  for (int k = 23; k >= 1; k -= 2) series = series * z + 1.0 / k;  // z^12 / 25 < 2^-65
  constexpr double kTwoOverLn2 = 2.8853900817779268147;
  out = counts * (shift + kTwoOverLn2 * s * series);
}

}  // namespace

Entropy::Entropy(uint64_t total) : total_(static_cast<double>(total)) {
  for (size_t i = 0; i < kSmall; i += kWidth) {
    Doubles counts;
    for (size_t lane = 0; lane < kWidth; lane++)
      counts[lane] = std::min(static_cast<double>(i + lane), total_);  // what is above cannot occur
    Doubles bits = {};
    if (total > 0) information(bits, total_, counts);
    std::memcpy(small_ + i, &bits, sizeof bits);
  }
}

double Entropy::of(const uint64_t* counts, size_t size) const {
  double sum[kLanes] = {};
  for (size_t i = 0; i < size; i += kLanes) {
    uint64_t eight[kLanes] = {};
    std::memcpy(eight, counts + i, std::min(kLanes, size - i) * sizeof *counts);
    uint64_t any = 0;
    for (uint64_t count : eight) any |= count;
    if (any == 0) continue;
    if (any < kSmall) {
      for (size_t lane = 0; lane < kLanes; lane++) sum[lane] += small_[eight[lane]];
      continue;
    }
    for (size_t lane = 0; lane < kLanes; lane += kWidth) {
      Longs whole;
      load(whole, eight + lane);
      Doubles numbers, bits;
      to_doubles(numbers, whole);
      information(bits, total_, numbers);
      for (size_t k = 0; k < kWidth; k++) sum[lane + k] += bits[k];
    }
  }
  return total_ > 0 ? sum_of(sum) / total_ : 0;
}

uint32_t* ByteCounts::bins(size_t size) {
  unspilled_ += size;
  if (unspilled_ >= uint64_t{1} << 31) {
    for (size_t i = 0; i < 1024; i++) spilled_[i % 256] += bins_[i];
    std::memset(bins_, 0, sizeof bins_);
    unspilled_ = size;
  }
  return bins_;
}

void ByteCounts::take(uint64_t counts[256]) {
  for (size_t i = 0; i < 256; i++)
    counts[i] = spilled_[i] + bins_[i] + bins_[256 + i] + bins_[512 + i] + bins_[768 + i];
  std::memset(bins_, 0, sizeof bins_);
  std::memset(spilled_, 0, sizeof spilled_);
  unspilled_ = 0;
}

}  // namespace steelyard
