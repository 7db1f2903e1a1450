// libm's log2 differs by an ulp between platforms and would make two honest machines disagree, so the
// logarithm is made of operations that IEEE 754 defines to the last bit. Summing log2(total/count) instead of
// subtracting c*log2(c) keeps full precision when one value dominates.
#include "entropy.h"

#include <bit>
#include <cstring>

namespace steelyard {

double log2_ratio(uint64_t total, uint64_t count) {
  // total / count = 2^shift * r with r in (1/2, 2); then ln r = 2 atanh((r - 1) / (r + 1)), and the fraction
  // is a quotient of two integers.
  int shift = std::bit_width(total) - std::bit_width(count);
  double numerator = static_cast<double>(total);
  double denominator = static_cast<double>(count) * static_cast<double>(uint64_t{1} << shift);
  // Bring r into [1/sqrt 2, sqrt 2), where the series converges fast.
  if (numerator * numerator >= 2 * denominator * denominator) {
    denominator *= 2;
    shift++;
  } else if (2 * numerator * numerator < denominator * denominator) {
    denominator /= 2;
    shift--;
  }
  double s = (numerator - denominator) / (numerator + denominator);  // |s| < 0.172
  double z = s * s;
  double series = 0;
  for (int k = 23; k >= 1; k -= 2) series = series * z + 1.0 / k;  // z^12 / 25 < 2^-65
  constexpr double kTwoOverLn2 = 2.8853900817779268147;
  return shift + kTwoOverLn2 * s * series;
}

double entropy(const uint64_t* counts, size_t size) {
  uint64_t total = 0;
  for (size_t i = 0; i < size; i++) total += counts[i];
  double bits = 0;
  for (size_t i = 0; i < size; i++) {
    if (counts[i] > 0) bits += static_cast<double>(counts[i]) * log2_ratio(total, counts[i]);
  }
  return total == 0 ? 0 : bits / static_cast<double>(total);
}

void ByteCounts::update(const uint8_t* data, size_t size) {
  size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    counts_[0][data[i]]++;
    counts_[1][data[i + 1]]++;
    counts_[2][data[i + 2]]++;
    counts_[3][data[i + 3]]++;
  }
  for (; i < size; i++) counts_[0][data[i]]++;
}

double ByteCounts::finish() {
  for (size_t i = 0; i < 256; i++) counts_[0][i] += counts_[1][i] + counts_[2][i] + counts_[3][i];
  double bits = entropy(counts_[0], 256);
  std::memset(counts_, 0, sizeof counts_);
  return bits;
}

}  // namespace steelyard
