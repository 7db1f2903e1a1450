// The magnitudes of one sub-block, as pairs for the list. Included by blocks_lanes.h, once per instruction
// set. Kernels differ in which sub-blocks they list and which they count the slow way; the sum is the same.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>

#include "counts/blocks/blocks.h"
#include "counts/blocks/decode.h"

#ifdef STEELYARD_AVX2
#include <immintrin.h>
#endif

namespace steelyard {
namespace {

// The magnitudes of a sub-block that leaves the window.
template <size_t kSize>
void miss_magnitudes(const int8_t* levels, double scale, double min, BlockPass& pass) {
  pass.pairs.missed++;
  for (size_t i = 0; i < kSize; i++) {
    const double x = scale * levels[i] - min;
    if (x != 0) pass.magnitudes.add(x, 1);
  }
}

STEELYARD_LANES int leading_bits(double value) {
  return static_cast<int>(std::bit_cast<uint64_t>(value) >> 50 & 0x1fff);
}

// Lays the window about a magnitude, a quarter of it above, unless something was listed for it already.
inline bool move_window(PairList& pairs, double largest) {
  if (pairs.used || largest == 0) return false;
  pairs.first = leading_bits(largest) - 48;
  return true;
}

template <size_t kSize>
STEELYARD_LANES void list_any(const int8_t* levels, double scale, double min, BlockPass& pass) {
  PairList& pairs = pass.pairs;
  uint16_t codes[kSize];
  for (bool moved = false;;) {
    bool outside = false;
    double largest = 0;
    for (size_t i = 0; i < kSize; i++) {
      const double x = scale * levels[i] - min;
      const int place = x == 0 ? 0 : leading_bits(x) - pairs.first;
      outside |= x != 0 && (place < 1 || place > 63);
      largest = std::max(largest, std::fabs(x));
      codes[i] = static_cast<uint16_t>((place & 63) | (x < 0 ? 64 : 0));
    }
    if (!outside) break;
    if (moved || !move_window(pairs, largest)) return miss_magnitudes<kSize>(levels, scale, min, pass);
    moved = true;
  }
  pairs.used = true;
  uint16_t* out = pairs.take(kSize / 2);
  for (size_t i = 0; i < kSize; i += 2) out[i / 2] = static_cast<uint16_t>(codes[i] | codes[i + 1] << 7);
}

#ifdef STEELYARD_AVX2
// scale * level without a min, in single precision: a scale of at most 18 bits times a level of at most 7 is
// exact, and nothing of a binary16 scale under- or overflows there.
template <size_t kSize, int kLargest>
STEELYARD_LANES void list_products(const int8_t* levels, double scale, BlockPass& pass) {
  PairList& pairs = pass.pairs;
  const double size = std::fabs(scale);
  const auto inside = [&] {
    return leading_bits(size) > pairs.first && leading_bits(size * kLargest) - pairs.first < 64;
  };
  if (scale != 0 && !inside()) [[unlikely]] {
    if (!move_window(pairs, size * kLargest) || !inside())
      return miss_magnitudes<kSize>(levels, scale, 0, pass);
  }
  if (scale != 0) pairs.used = true;
  const __m256 factor = _mm256_set1_ps(static_cast<float>(scale));
  const __m256i first = _mm256_set1_epi16(static_cast<int16_t>(pairs.first - (1023 - 127) * 4));
  const __m256i size_bits = _mm256_set1_epi16(0x3ff), sign_bit = _mm256_set1_epi16(64);
  __m256i leading[kSize / 8], places[kSize / 16];
  for (size_t i = 0; i < kSize / 8; i++) {
    const __m256i q = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(levels + 8 * i)));
    const __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(q), factor);
    leading[i] = _mm256_srli_epi32(_mm256_castps_si256(x), 21);
  }
  for (size_t i = 0; i < kSize / 16; i++) {
    // The order of elements does not matter here.
    const __m256i both = _mm256_packus_epi32(leading[2 * i], leading[2 * i + 1]);
    const __m256i place = _mm256_subs_epu16(_mm256_and_si256(both, size_bits), first);  // zero stays below
    places[i] = _mm256_or_si256(place, _mm256_and_si256(_mm256_srli_epi16(both, 4), sign_bit));
  }
  if constexpr (kSize == 32) {
    const __m256i pair = _mm256_or_si256(places[0], _mm256_slli_epi16(places[1], 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs.take(16)), pair);
  } else {
    const __m128i low = _mm256_castsi256_si128(places[0]), high = _mm256_extracti128_si256(places[0], 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(pairs.take(8)), _mm_or_si128(low, _mm_slli_epi16(high, 7)));
  }
}

// Sixteen levels: the places of all of them, then a look-up per element. `order` has the levels as the
// packing below wants them.
STEELYARD_LANES void list_sixteen(const uint8_t* codes, const int8_t* levels, const double order[16],
                                  double scale, double min, BlockPass& pass) {
  PairList& pairs = pass.pairs;
  const __m256d factor = _mm256_set1_pd(scale), minus = _mm256_set1_pd(min);
  __m256 halves[4];
  for (size_t i = 0; i < 4; i++) {
    const __m256d x = _mm256_sub_pd(_mm256_mul_pd(_mm256_loadu_pd(order + 4 * i), factor), minus);
    halves[i] = _mm256_castsi256_ps(_mm256_srli_epi64(_mm256_castpd_si256(x), 50));
  }
  const __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(halves[0], halves[1], 0x88));
  const __m256i high = _mm256_castps_si256(_mm256_shuffle_ps(halves[2], halves[3], 0x88));
  const __m256i leading = _mm256_packus_epi32(low, high);
  const __m256i size = _mm256_and_si256(leading, _mm256_set1_epi16(0x1fff));
  const __m256i zero = _mm256_cmpeq_epi16(size, _mm256_setzero_si256());
  const __m256i place = _mm256_sub_epi16(size, _mm256_set1_epi16(static_cast<int16_t>(pairs.first)));
  const __m256i inside = _mm256_and_si256(_mm256_cmpgt_epi16(place, _mm256_setzero_si256()),
                                          _mm256_cmpgt_epi16(_mm256_set1_epi16(64), place));
  if (_mm256_movemask_epi8(_mm256_or_si256(inside, zero)) != -1) [[unlikely]]
    return list_any<32>(levels, scale, min, pass);
  pairs.used = true;
  const __m256i sign = _mm256_slli_epi16(_mm256_srli_epi16(leading, 13), 6);
  const __m256i code = _mm256_or_si256(_mm256_andnot_si256(zero, place), sign);
  const __m128i table = _mm_packus_epi16(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
  // In halves, as some decoders store them: a load across two stores would wait for both.
  const __m128i low_codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
  const __m128i high_codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + 16));
  const __m256i found =
      _mm256_set_m128i(_mm_shuffle_epi8(table, high_codes), _mm_shuffle_epi8(table, low_codes));
  const __m256i pair = _mm256_maddubs_epi16(_mm256_set1_epi16(static_cast<int16_t>(0x8001)), found);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs.take(16)), pair);
}

// Level of code k at the place whose result the packing of list_sixteen puts at byte k.
template <class Level>
struct Sixteen {
  double order[16];
  explicit constexpr Sixteen(Level level) : order() {
    for (int k = 0; k < 16; k++) {
      // Byte k is word k of `leading`; lane k / 8, of it dword k % 8 / 4 from low or high, and so on back.
      const int lane = k / 8, source = k % 8 / 4, dword = k % 4;
      order[8 * source + 4 * (dword / 2) + 2 * lane + dword % 2] = level(k);
    }
  }
};
#endif

template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void list_magnitudes([[maybe_unused]] const uint8_t* codes, const int8_t* levels,
                                     double scale, double min, BlockPass& pass) {
#ifdef STEELYARD_AVX2
  if constexpr (quants_of(kDtype) == Quants::kNibbles) {
    static constexpr Sixteen kLevels([](int code) -> double {
      if (kDtype == Dtype::MXFP4) return kF4Levels[code];
      return kHigh - kLow == 15 ? code + kLow : kIq4Levels[code];
    });
    return list_sixteen(codes, levels, kLevels.order, scale, min, pass);
  } else if constexpr (!has_min(kDtype)) {
    return list_products<kSize, std::max(-kLow, kHigh)>(levels, scale, pass);
  }
#endif
  list_any<kSize>(levels, scale, min, pass);
}

}  // namespace
}  // namespace steelyard
