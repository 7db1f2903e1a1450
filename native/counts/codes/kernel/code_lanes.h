// The loops behind code_kernel.h. Included once per instruction set.
#pragma once
#include <algorithm>
#include <cstring>

#include "counts/codes/code_format.h"
#include "counts/codes/entropy_lanes.h"
#include "counts/codes/kernel/code_kernel.h"
#include "counts/moments/lanes.h"

namespace steelyard {
namespace {

template <size_t kRegister>
void find_reach(const uint8_t* data, size_t size, uint32_t mask, CodeReach& reach) {
  using Shorts = typename Vectors<kRegister>::Shorts;
  using Words = typename Vectors<kRegister>::Words;
  const Shorts kept = (Shorts)(Words{} + mask);
  Shorts low = Shorts{} + static_cast<int16_t>(reach.low), high = Shorts{} + static_cast<int16_t>(reach.high);
  const auto look = [&](const void* at) __attribute__((always_inline)) {
    Shorts x;
    load(x, at);
    x &= kept;
    high = x > high ? x : high;
    x |= (x == 0) & 0x7fff;
    low = x < low ? x : low;
  };
  const size_t whole = size - size % kRegister;
  for (size_t i = 0; i < whole; i += kRegister) look(data + i);
  uint8_t rest[kRegister] = {};  // filled up with zeros, which do not count
  std::memcpy(rest, data + whole, size - whole);
  look(rest);
  int16_t lows[kRegister / 2], highs[kRegister / 2];
  std::memcpy(lows, &low, sizeof lows);
  std::memcpy(highs, &high, sizeof highs);
  for (size_t i = 0; i < kRegister / 2; i++) {
    reach.low = std::min(reach.low, static_cast<uint16_t>(lows[i]));
    reach.high = std::max(reach.high, static_cast<uint16_t>(highs[i]));
  }
}

// Writes every code and goes on only if it occurred: a branch would be mispredicted half the time.
template <size_t kRegister>
size_t list_codes(uint32_t* bins, size_t first, size_t end, uint32_t* codes, uint64_t* counts) {
  constexpr size_t kAtOnce = 8;
  size_t present = 0;
  for (size_t i = first; i < end; i += kAtOnce) {
    uint64_t pairs[kAtOnce / 2];
    std::memcpy(pairs, bins + i, sizeof pairs);
    if ((pairs[0] | pairs[1] | pairs[2] | pairs[3]) == 0) continue;
    for (size_t code = i; code < i + kAtOnce; code++) {
      codes[present] = static_cast<uint32_t>(code);
      counts[present] = bins[code];
      present += bins[code] > 0 ? 1 : 0;
      bins[code] = 0;
    }
  }
  return present;
}

#ifdef STEELYARD_AVX512
template <>
size_t list_codes<64>(uint32_t* bins, size_t first, size_t end, uint32_t* codes, uint64_t* counts) {
  constexpr size_t kGroup = 64, kWidth = 16;
  const __m512i ascending = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t present = 0;
  for (size_t i = first; i < end; i += kGroup) {
    __m512i bin[kGroup / kWidth], any = _mm512_setzero_si512();
    for (size_t k = 0; k < kGroup / kWidth; k++) {
      bin[k] = _mm512_loadu_si512(bins + i + k * kWidth);
      any = _mm512_or_si512(any, bin[k]);
    }
    if (_mm512_test_epi32_mask(any, any) == 0) continue;
    for (size_t k = 0; k < kGroup / kWidth; k++) {
      const __mmask16 occurs = _mm512_test_epi32_mask(bin[k], bin[k]);
      const __m512i code = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(i + k * kWidth)), ascending);
      const __m512i count = _mm512_maskz_compress_epi32(occurs, bin[k]);
      _mm512_storeu_si512(codes + present, _mm512_maskz_compress_epi32(occurs, code));
      _mm512_storeu_si512(counts + present, _mm512_cvtepu32_epi64(_mm512_castsi512_si256(count)));
      _mm512_storeu_si512(counts + present + 8, _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(count, 1)));
      _mm512_storeu_si512(bins + i + k * kWidth, _mm512_setzero_si512());
      present += static_cast<size_t>(_mm_popcnt_u32(occurs));
    }
  }
  return present;
}
#endif

template <size_t kRegister>
uint64_t decode_codes(const CodeFormat& format, const uint32_t* codes, const uint64_t* counts, size_t size,
                      double* values, double* numbers) {
  using V = Vectors<kRegister>;
  using Longs = typename V::Longs;
  const int sign = 64 - format.bits, shift = 52 - format.mantissa_bits;
  const int64_t field = (int64_t{1} << (format.bits - 1)) - 1;
  const int64_t bias = static_cast<int64_t>(1023 - format.bias) << 52;
  uint64_t sum = 0;
  for (size_t i = 0; i < size; i++) sum += counts[i];
  for (size_t i = 0; i < size; i += V::kWidth) {
    typename V::Ints narrow;
    load(narrow, codes + i);
    const Longs code = __builtin_convertvector(narrow, Longs);
    const Longs bits = (((code & field) << shift) + bias) | ((code << sign) & INT64_MIN);
    std::memcpy(values + i, &bits, sizeof bits);
    Longs whole;
    load(whole, counts + i);
    typename V::Doubles number;
    to_doubles(number, whole);
    std::memcpy(numbers + i, &number, sizeof number);
  }
  return sum;
}

// Adds without losing what does not fit into the sum (Knuth's TwoSum): the mean of a symmetric tensor is a
// small difference of large sums.
template <class Number>
struct ExactSum {
  Number high = {}, low = {};
  STEELYARD_LANES void add(const Number& x) {
    const Number sum = high + x, added = sum - high;
    low += (high - (sum - added)) + (x - added);
    high = sum;
  }
};

template <class Doubles, size_t kParts>
STEELYARD_LANES double exact_sum_of(const ExactSum<Doubles> (&lanes)[kParts]) {
  ExactSum<double> sum;
  double low = 0;
  for (const ExactSum<Doubles>& part : lanes) {
    for (size_t lane = 0; lane < kLanes / kParts; lane++) {
      sum.add(part.high[lane]);
      low += part.low[lane];
    }
  }
  return sum.high + (sum.low + low);
}

template <size_t kRegister>
void weigh_values(const WeightedValues& weighted, uint64_t count, WeightedSums& sums) {
  using V = Vectors<kRegister>;
  using Doubles = typename V::Doubles;
  using Longs = typename V::Longs;
  const auto each = [&](auto f) __attribute__((always_inline)) {
    for (size_t i = 0; i < weighted.size; i += kLanes) {
#pragma GCC unroll 4
      for (size_t part = 0; part < V::kParts; part++) {
        Doubles x, n;
        load(x, weighted.values + i + part * V::kWidth);
        load(n, weighted.counts + i + part * V::kWidth);
        f(part, x, n);
      }
    }
  };
  ExactSum<Doubles> sum[V::kParts];
  Doubles l1[V::kParts] = {}, squares[V::kParts] = {};
  each([&](size_t part, const Doubles& x, const Doubles& n) __attribute__((always_inline)) {
    const Doubles nx = n * x;
    sum[part].add(nx);
    l1[part] += (Doubles)((Longs)nx & INT64_MAX);
    squares[part] += nx * x;
  });
  sums.l1 = sum_of(l1);
  sums.squares = sum_of(squares);

  Moments& moments = sums.moments;
  moments.n = static_cast<double>(count);
  moments.mean = exact_sum_of(sum) / moments.n;
  ExactSum<Doubles> third[V::kParts];
  Doubles second[V::kParts] = {}, fourth[V::kParts] = {};
  each([&](size_t part, const Doubles& x, const Doubles& n) __attribute__((always_inline)) {
    const Doubles d = x - moments.mean, d2 = n * d * d;
    second[part] += d2;
    third[part].add(d2 * d);
    fourth[part] += d2 * d * d;
  });
  moments.m2 = sum_of(second);
  moments.m3 = exact_sum_of(third);
  moments.m4 = sum_of(fourth);
}

}  // namespace
}  // namespace steelyard
