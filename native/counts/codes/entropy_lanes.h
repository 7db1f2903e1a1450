// Sums of logarithms, part of code_lanes.h.
//
// libm's log2 differs by an ulp between platforms and would make two honest machines disagree, so the
// logarithm is made of operations that IEEE 754 defines to the last bit. Summing log2(total/count) instead of
// subtracting c*log2(c) keeps full precision when one value dominates.
#pragma once
#include <algorithm>
#include <cstring>

#include "counts/codes/kernel/code_kernel.h"
#include "counts/moments/lanes.h"

namespace steelyard {
namespace {

// count * log2(total / count); 0 where count is 0.
template <class V>
STEELYARD_LANES void information_of(typename V::Doubles& out, double total,
                                    const typename V::Doubles& counts) {
  using Doubles = typename V::Doubles;
  using Longs = typename V::Longs;
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

template <size_t kRegister>
void list_small_information(double total, double* small) {
  using V = Vectors<kRegister>;
  for (size_t i = 0; i < kSmallCounts; i += V::kWidth) {
    double counts[V::kWidth];
    // What is above the total cannot occur.
    for (size_t lane = 0; lane < V::kWidth; lane++)
      counts[lane] = std::min(static_cast<double>(i + lane), total);
    typename V::Doubles numbers, bits;
    load(numbers, counts);
    information_of<V>(bits, total, numbers);
    std::memcpy(small + i, &bits, sizeof bits);
  }
}

// What each of some counts below kSmallCounts adds.
template <class V>
STEELYARD_LANES void look_up(typename V::Doubles& out, const typename V::Longs& counts, const double* small) {
#ifdef STEELYARD_AVX512
  out = _mm512_i64gather_pd((__m512i)counts, small, sizeof *small);
#else
  for (size_t lane = 0; lane < V::kWidth; lane++) out[lane] = small[counts[lane]];
#endif
}

template <size_t kRegister>
double sum_information(const uint64_t* counts, size_t size, double total, const double* small) {
  using V = Vectors<kRegister>;
  typename V::Doubles sum[V::kParts] = {};
  for (size_t i = 0; i < size; i += kLanes) {
    uint64_t last[kLanes] = {};
    if (size - i < kLanes) std::memcpy(last, counts + i, (size - i) * sizeof *counts);
    const uint64_t* eight = size - i < kLanes ? last : counts + i;
    uint64_t any = 0;
    for (size_t lane = 0; lane < kLanes; lane++) any |= eight[lane];
    if (any == 0) continue;
#pragma GCC unroll 4
    for (size_t part = 0; part < V::kParts; part++) {
      typename V::Longs whole;
      typename V::Doubles numbers, bits;
      load(whole, eight + part * V::kWidth);
      if (any < kSmallCounts) {
        look_up<V>(bits, whole, small);
      } else {
        to_doubles(numbers, whole);
        information_of<V>(bits, total, numbers);
      }
      sum[part] += bits;
    }
  }
  return sum_of(sum);
}

}  // namespace
}  // namespace steelyard
