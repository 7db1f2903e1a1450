// The magnitudes of a whole group of sub-blocks (256 elements), as pairs for the list, for AVX-512: those
// that magnitude_pairs.h lists one sub-block after the other. Included by block_groups.h.
#pragma once
#include "counts/blocks/blocks.h"
#include "counts/blocks/decode.h"
#include "counts/blocks/groups/group_sums.h"

#ifdef STEELYARD_AVX512
#include <immintrin.h>

namespace steelyard {
namespace {

// As list_products; false: some sub-block leaves the window.
template <size_t kSize, int kLargest>
STEELYARD_LANES bool list_all_products(const Decoded& block, PairList& pairs) {
  alignas(64) float factors[256 / kSize];
  unsigned outside = 0, some = 0;
  for (size_t i = 0; i < 256 / kSize; i += 8) {
    const __m512d scale = _mm512_loadu_pd(block.scales + i), size = _mm512_abs_pd(scale);
    const __m512d largest = _mm512_mul_pd(size, _mm512_set1_pd(kLargest));
    const __m512i low = _mm512_srli_epi64(_mm512_castpd_si512(size), 50);
    const __m512i high = _mm512_srli_epi64(_mm512_castpd_si512(largest), 50);
    const unsigned present = _mm512_test_epi64_mask(low, low);
    some |= present;
    outside |= present & (_mm512_cmple_epi64_mask(low, _mm512_set1_epi64(pairs.first)) |
                          _mm512_cmpge_epi64_mask(high, _mm512_set1_epi64(pairs.first + 64)));
    _mm256_storeu_ps(factors + i, _mm512_cvtpd_ps(scale));
  }
  if (outside != 0) [[unlikely]]
    return false;
  if (some != 0) pairs.used = true;
  const __m512i first = _mm512_set1_epi16(static_cast<int16_t>(pairs.first - (1023 - 127) * 4));
  const __m512i size_bits = _mm512_set1_epi16(0x3ff), sign_bit = _mm512_set1_epi16(64);
  uint16_t* out = pairs.take(128);
  for (size_t at = 0; at < 256; at += 64) {
    __m512i places[2];
    for (size_t half = 0; half < 2; half++) {
      __m512i tops[2];
      for (size_t i = 0; i < 2; i++) {
        const size_t from = at + 32 * half + 16 * i;
        const __m512i q =
            _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block.levels + from)));
        tops[i] =
            _mm512_castps_si512(_mm512_mul_ps(_mm512_cvtepi32_ps(q), _mm512_set1_ps(factors[from / kSize])));
      }
      // The order of elements does not matter here.
      const __m512i both = _mm512_mask_mov_epi16(tops[1], 0x55555555, _mm512_srli_epi32(tops[0], 16));
      const __m512i size = _mm512_and_si512(_mm512_srli_epi16(both, 5), size_bits);
      const __m512i sign = _mm512_and_si512(_mm512_srli_epi16(both, 9), sign_bit);
      places[half] = _mm512_or_si512(_mm512_subs_epu16(size, first), sign);  // zero stays below
    }
    const __m512i pair = _mm512_or_si512(places[0], _mm512_slli_epi16(places[1], 7));
    _mm512_storeu_si512(out + at / 2, pair);
  }
  return true;
}

// Where 16 levels of four sub-blocks (or 16 neighbours among more levels) lie: a byte each, looked up by
// code. Levels come in the order of doubles that the packing here turns into that of codes.
struct Placed {
  __m512i tables;
  bool inside;
};

STEELYARD_LANES Placed place_levels(const __m512d x[8], int first) {
  const __m512i size_bits = _mm512_set1_epi16(0x1fff), sign_bit = _mm512_set1_epi16(64);
  const __m512i origin = _mm512_set1_epi16(static_cast<int16_t>(first));
  const __m512i one = _mm512_set1_epi16(1), places = _mm512_set1_epi16(63);
  __m512i halves[2];
  __mmask32 inside = ~__mmask32{0};
  for (size_t i = 0; i < 2; i++) {
    __m512i leading[2];
    for (size_t k = 0; k < 2; k++) {
      const __m512 low = _mm512_castpd_ps(x[4 * i + 2 * k]), high = _mm512_castpd_ps(x[4 * i + 2 * k + 1]);
      leading[k] = _mm512_srli_epi32(_mm512_castps_si512(_mm512_shuffle_ps(low, high, 0xdd)), 18);
    }
    const __m512i both = _mm512_packus_epi32(leading[0], leading[1]);
    const __m512i size = _mm512_and_si512(both, size_bits), place = _mm512_sub_epi16(size, origin);
    const __mmask32 some = _mm512_test_epi16_mask(size, size);
    inside &= static_cast<__mmask32>(~some | _mm512_cmplt_epu16_mask(_mm512_sub_epi16(place, one), places));
    const __m512i sign = _mm512_and_si512(_mm512_srli_epi16(both, 7), sign_bit);
    halves[i] = _mm512_or_si512(_mm512_maskz_mov_epi16(some, place), sign);
  }
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  return {_mm512_permutexvar_epi32(order, _mm512_packus_epi16(halves[0], halves[1])),
          inside == ~__mmask32{0}};
}

constexpr int level_of(Dtype dtype, int low, int code) {
  if (dtype == Dtype::MXFP4) return kF4Levels[code];
  return dtype == Dtype::IQ4_NL || dtype == Dtype::IQ4_XS ? kIq4Levels[code] : code + low;
}

// Of at most 32 levels, in 16s; where there are four, those of four sub-blocks.
template <Dtype kDtype, int kLow, int kLevels>
struct LevelOrder {
  double order[2][2][8];
  constexpr LevelOrder() : order() {
    for (int code = 0; code < 32; code++) {
      const int level = kLevels == 4 ? code % 4 : kLevels == 16 ? level_of(kDtype, kLow, code % 16) : code;
      order[code / 16][code % 4 / 2][code % 16 / 4 * 2 + code % 2] = level;
    }
  }
};

STEELYARD_LANES __m512i pick_lanes(__m512i from, int a, int b, int c, int d) {
  const __m512i order =
      _mm512_set_epi64(2 * d + 1, 2 * d, 2 * c + 1, 2 * c, 2 * b + 1, 2 * b, 2 * a + 1, 2 * a);
  return _mm512_permutexvar_epi64(order, from);
}

// Pairs of a group by looking up where its levels lie; false: some level leaves the window.
template <Dtype kDtype, size_t kSize, int kLow, int kLevels>
STEELYARD_LANES bool list_all_places(const Decoded& block, PairList& pairs) {
  static constexpr LevelOrder<kDtype, kLow, kLevels> kOrder;
  constexpr size_t kTables = kLevels == 4 ? 4 : kLevels == 16 ? 8 : 16;
  __m512i tables[kTables / 4];
  for (size_t first = 0; first < kTables; first += 4) {
    __m512d x[8];
    for (size_t i = 0; i < 4; i++) {
      const size_t table = first + i, sub = table * 8 / kTables * (kLevels == 4 ? 2 : 1);
      __m512d scale = _mm512_set1_pd(block.scales[sub]), min = _mm512_set1_pd(block.mins[sub]);
      if constexpr (kLevels == 4) {
        const __m512i twice = _mm512_set_epi64(3, 3, 2, 2, 1, 1, 0, 0);
        scale = _mm512_permutexvar_pd(twice, _mm512_castpd256_pd512(_mm256_loadu_pd(block.scales + sub)));
        min = _mm512_permutexvar_pd(twice, _mm512_castpd256_pd512(_mm256_loadu_pd(block.mins + sub)));
      }
      for (size_t k = 0; k < 2; k++) {
        const __m512d level = _mm512_loadu_pd(kOrder.order[kLevels == 32 ? table % 2 : 0][k]);
        // The product is exact, so there is only one rounding anyway.
        x[2 * i + k] = has_min(kDtype) ? _mm512_fmsub_pd(level, scale, min) : _mm512_mul_pd(level, scale);
      }
    }
    const Placed placed = place_levels(x, pairs.first);
    if (!placed.inside) [[unlikely]]
      return false;
    tables[first / 4] = placed.tables;
  }
  pairs.used = true;
  uint16_t* out = pairs.take(128);
  for (int i = 0; i < 4; i++) {
    const __m512i codes = load512(block.codes + 64 * i);
    __m512i found;
    if constexpr (kLevels == 4) {
      const __m512i four = _mm512_set_epi64(0x0c0c0c0c0c0c0c0c, 0x0c0c0c0c0c0c0c0c, 0x0808080808080808,
                                            0x0808080808080808, 0x0404040404040404, 0x0404040404040404, 0, 0);
      found = _mm512_shuffle_epi8(pick_lanes(tables[0], i, i, i, i), _mm512_or_si512(codes, four));
    } else if constexpr (kLevels == 16) {
      const int at = i % 2 * 2;
      found = _mm512_shuffle_epi8(pick_lanes(tables[i / 2], at, at, at + 1, at + 1), codes);
    } else {
      found = _mm512_shuffle_epi8(pick_lanes(tables[i], 0, 0, 2, 2), codes);
      const __mmask64 upper = _mm512_test_epi8_mask(codes, _mm512_set1_epi8(16));
      found = _mm512_mask_shuffle_epi8(found, upper, pick_lanes(tables[i], 1, 1, 3, 3), codes);
    }
    _mm512_storeu_si512(out + 32 * i,
                        _mm512_maddubs_epi16(_mm512_set1_epi16(static_cast<int16_t>(0x8001)), found));
  }
  return true;
}

}  // namespace
}  // namespace steelyard
#endif
