// Sums over the levels of a whole group of sub-blocks (256 elements) at once, for AVX-512: exact, as one
// sub-block after the other. Included by block_groups.h.
#pragma once
#include <bit>
#include <cmath>
#include <limits>

#include "counts/blocks/blocks.h"
#include "counts/blocks/decode.h"
#include "counts/blocks/groups/level_sums.h"

#ifdef STEELYARD_AVX512
#include <immintrin.h>

namespace steelyard {
namespace {

STEELYARD_LANES __m512i load512(const void* from) {
  return _mm512_loadu_si512(from);
}

STEELYARD_LANES __m512i widen(const int8_t* levels) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(levels)));
}

STEELYARD_LANES __m512i widen(const int8_t* low, const int8_t* high) {
  const __m128i half0 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
  const __m128i half1 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high));
  return _mm512_cvtepi8_epi16(_mm256_inserti128_si256(_mm256_castsi128_si256(half0), half1, 1));
}

// Per lane of 128 bits the sums of each vector's four numbers there.
STEELYARD_LANES __m512i sum_quads(const __m512i four[4]) {
  const __m512i low =
      _mm512_add_epi32(_mm512_unpacklo_epi32(four[0], four[1]), _mm512_unpackhi_epi32(four[0], four[1]));
  const __m512i high =
      _mm512_add_epi32(_mm512_unpacklo_epi32(four[2], four[3]), _mm512_unpackhi_epi32(four[2], four[3]));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(low, high), _mm512_unpackhi_epi64(low, high));
}

// Each half of a vector sums up to one number: those of four vectors, then those of four others.
STEELYARD_LANES __m512i sum_halves(const __m512i four[4], const __m512i others[4]) {
  const __m512i first = sum_quads(four), second = sum_quads(others);
  const __m512i sums =
      _mm512_add_epi32(_mm512_shuffle_i32x4(first, second, 0x88), _mm512_shuffle_i32x4(first, second, 0xdd));
  const __m512i order = _mm512_set_epi32(15, 11, 14, 10, 13, 9, 12, 8, 7, 3, 6, 2, 5, 1, 4, 0);
  return _mm512_permutexvar_epi32(order, sums);
}

// As sum_levels: the powers of SubBlocks, of sub-blocks 2i and 2i + 1 in the halves of sums[k][i].
template <size_t kSize>
STEELYARD_LANES void add_powers(const int8_t* levels, __m512i sums[4][128 / kSize]) {
  const __m512i ones = _mm512_set1_epi16(1), centre = _mm512_set1_epi16(8192);
  for (size_t i = 0; i < 128 / kSize; i++) {
    for (size_t k = 0; k < 4; k++) sums[k][i] = _mm512_setzero_si512();
    for (size_t part = 0; part < kSize / 16; part++) {
      const int8_t* from = levels + 2 * kSize * i + 16 * part;
      const __m512i q = kSize == 32 ? widen(from, from + 32) : widen(from);
      const __m512i q2 = _mm512_mullo_epi16(q, q), centred = _mm512_sub_epi16(q2, centre);
      sums[0][i] = _mm512_dpwssd_epi32(sums[0][i], q, ones);
      sums[1][i] = _mm512_dpwssd_epi32(sums[1][i], q, q);
      sums[2][i] = _mm512_dpwssd_epi32(sums[2][i], q2, q);
      sums[3][i] = _mm512_dpwssd_epi32(sums[3][i], centred, centred);
    }
  }
}

// Likewise of levels up to 15: their squares fit a byte, and less 112 a signed one. The fourth sum is then
// that of q^4 - 112 q^2.
STEELYARD_LANES void add_small_powers(const int8_t* levels, __m512i sums[4][4]) {
  const __m512i none = _mm512_setzero_si512(), ones = _mm512_set1_epi8(1), centre = _mm512_set1_epi8(112);
  const __m512i squares = _mm512_broadcast_i32x4(
      _mm_set_epi8(-31, -60, -87, -112, 121, 100, 81, 64, 49, 36, 25, 16, 9, 4, 1, 0));  // 225 is -31
  for (size_t i = 0; i < 4; i++) {
    const __m512i q = load512(levels + 64 * i), q2 = _mm512_shuffle_epi8(squares, _mm512_abs_epi8(q));
    sums[0][i] = _mm512_dpbusd_epi32(none, ones, q);
    sums[1][i] = _mm512_dpbusd_epi32(none, q2, ones);
    sums[2][i] = _mm512_dpbusd_epi32(none, q2, q);
    sums[3][i] = _mm512_dpbusd_epi32(none, q2, _mm512_sub_epi8(q2, centre));
  }
}

// kLargest: of the levels' magnitudes.
template <size_t kSize, int kLargest>
STEELYARD_LANES void sum_powers(const int8_t* levels, SubBlocks& subs) {
  const size_t j = subs.count;
  if constexpr (kSize == 16) {
    __m512i sums[4][8];
    add_powers<16>(levels, sums);
    for (size_t k = 0; k < 4; k++) {
      __m512i all = sum_halves(sums[k], sums[k] + 4);
      if (k == 3) all = _mm512_sub_epi32(all, _mm512_set1_epi32(16 << 26));
      _mm512_storeu_si512(&subs.sums[k][j], all);
    }
  } else {
    __m512i sums[4][4];
    if constexpr (kLargest < 16) {
      add_small_powers(levels, sums);
    } else {
      add_powers<32>(levels, sums);
    }
    const __m512i lower = sum_halves(sums[0], sums[1]), upper = sum_halves(sums[2], sums[3]);
    const __m256i second = _mm512_extracti64x4_epi64(lower, 1), fourth = _mm512_extracti64x4_epi64(upper, 1);
    const __m256i shift = kLargest < 16 ? _mm256_mullo_epi32(second, _mm256_set1_epi32(16384 - 112))
                                        : _mm256_set1_epi32(std::numeric_limits<int>::min());  // 32 << 26
    const __m256i all[4] = {_mm512_castsi512_si256(lower), second, _mm512_castsi512_si256(upper),
                            _mm256_sub_epi32(fourth, shift)};
    for (size_t k = 0; k < 4; k++) _mm256_storeu_si256(reinterpret_cast<__m256i*>(&subs.sums[k][j]), all[k]);
  }
}

STEELYARD_LANES __m512i add_neighbours(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

// Sums of bytes, per sub-block, from four vectors of them: _mm512_sad_epu8 did the first step.
template <size_t kSize>
STEELYARD_LANES void sum_eighths(const __m512i four[4], __m512i out[256 / kSize / 8]) {
  const __m512i low = add_neighbours(four[0], four[1]), high = add_neighbours(four[2], four[3]);
  if constexpr (kSize == 16) {
    const __m512i order = _mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0);
    out[0] = _mm512_permutexvar_epi64(order, low);
    out[1] = _mm512_permutexvar_epi64(order, high);
  } else {
    const __m512i sums =
        _mm512_add_epi64(_mm512_shuffle_i64x2(low, high, 0x88), _mm512_shuffle_i64x2(low, high, 0xdd));
    out[0] = _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 6, 4, 3, 1, 2, 0), sums);
  }
}

// Without a min the sum of |x| is |scale| times that of |level|; a scale of 19 bits at most times 13 bits is
// exact, as are the two terms of add_sub_block and their sum.
template <Dtype kDtype, size_t kSize, int kLow>
STEELYARD_LANES void sum_signs(const Decoded& block, BlockPass& pass) {
  constexpr size_t kVectors = 256 / kSize / 8;
  const __m512i zero = _mm512_setzero_si512();
  __m512i eighths[4], sums[kVectors];
  for (size_t i = 0; i < 4; i++) {
    const __m512i q = load512(block.levels + 64 * i), size = _mm512_abs_epi8(q);
    eighths[i] = _mm512_sad_epu8(size, zero);
    pass.zero += static_cast<unsigned>(std::popcount(_mm512_testn_epi8_mask(q, q)));
    if constexpr (has_extreme(kDtype)) {
      const uint64_t extreme = kDtype == Dtype::Q8_0 ? _mm512_cmpeq_epi8_mask(size, _mm512_set1_epi8(127))
                                                     : _mm512_cmpeq_epi8_mask(q, _mm512_set1_epi8(kLow));
      pass.at_extreme += (static_cast<uint32_t>(extreme) != 0) + (extreme >> 32 != 0);
    }
  }
  sum_eighths<kSize>(eighths, sums);
  for (size_t i = 0; i < kVectors; i++) {
    const __m512d scale = _mm512_loadu_pd(block.scales + 8 * i);
    const __m512d l1 = _mm512_mul_pd(_mm512_abs_pd(scale), _mm512_cvtepi64_pd(sums[i]));
    _mm512_storeu_pd(&pass.subs.l1[pass.subs.count + 8 * i], l1);
    for (unsigned none = _mm512_cmpeq_pd_mask(scale, _mm512_setzero_pd()); none != 0; none &= none - 1) {
      const int8_t* levels = block.levels + kSize * (8 * i + static_cast<unsigned>(std::countr_zero(none)));
      for (size_t k = 0; k < kSize; k++) pass.zero += levels[k] != 0 ? 1 : 0;
    }
  }
}

// With a min; levels are not negative.
template <size_t kSize>
STEELYARD_LANES void sum_signs_about_min(const Decoded& block, BlockPass& pass) {
  constexpr size_t kVectors = 256 / kSize / 8;
  const __m512d no = _mm512_setzero_pd(), largest = _mm512_set1_pd(127), smallest = _mm512_set1_pd(-128);
  __m512d scale[kVectors], min[kVectors], border[kVectors];
  __m128i bytes[2] = {};
  for (size_t i = 0; i < kVectors; i++) {
    scale[i] = _mm512_loadu_pd(block.scales + 8 * i);
    min[i] = _mm512_loadu_pd(block.mins + 8 * i);
    const __mmask8 some = _mm512_cmpneq_pd_mask(scale[i], no);
    const __m512d floor = _mm512_roundscale_pd(_mm512_maskz_div_pd(some, min[i], scale[i]),
                                               _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    border[i] = _mm512_max_pd(_mm512_min_pd(floor, largest), smallest);
    bytes[i] = _mm256_cvtepi32_epi8(_mm512_cvtpd_epi32(border[i]));
  }
  const __m128i borders = _mm_unpacklo_epi64(bytes[0], bytes[1]);
  const __m512i all = _mm512_broadcast_i32x4(borders);
  const __m512i zero = _mm512_setzero_si512(), ones = _mm512_set1_epi8(1);
  // Which border is a lane's.
  const __m512i first =
      kSize == 32 ? _mm512_set_epi64(0x0101010101010101, 0x0101010101010101, 0x0101010101010101,
                                     0x0101010101010101, 0, 0, 0, 0)
                  : _mm512_set_epi64(0x0303030303030303, 0x0303030303030303, 0x0202020202020202,
                                     0x0202020202020202, 0x0101010101010101, 0x0101010101010101, 0, 0);
  __m512i eighths[4], sums[kVectors];
  for (size_t i = 0; i < 4; i++) {
    const __m512i q = load512(block.levels + 64 * i);
    const __m512i mine = _mm512_add_epi8(first, _mm512_set1_epi8(static_cast<char>(64 / kSize * i)));
    const __mmask64 above = _mm512_cmpgt_epi8_mask(q, _mm512_shuffle_epi8(all, mine));
    const __m512i sum = _mm512_sad_epu8(_mm512_maskz_mov_epi8(above, q), zero);
    const __m512i count = _mm512_sad_epu8(_mm512_maskz_mov_epi8(above, ones), zero);
    eighths[i] = _mm512_or_si512(sum, _mm512_slli_epi64(count, 32));
  }
  sum_eighths<kSize>(eighths, sums);
  const __m512d size = _mm512_set1_pd(kSize);
  for (size_t i = 0; i < kVectors; i++) {
    const __m512d count = _mm512_cvtepi64_pd(_mm512_srli_epi64(sums[i], 32));
    const __m512d sum_above = _mm512_cvtepi64_pd(_mm512_and_si512(sums[i], _mm512_set1_epi64(0xffff)));
    const __m256i total =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&pass.subs.sums[0][pass.subs.count + 8 * i]));
    const __m512d sum_below = _mm512_sub_pd(_mm512_cvtepi32_pd(total), sum_above);
    const __m512d above = _mm512_sub_pd(_mm512_mul_pd(scale[i], sum_above), _mm512_mul_pd(min[i], count));
    const __m512d below =
        _mm512_sub_pd(_mm512_mul_pd(scale[i], sum_below), _mm512_mul_pd(min[i], _mm512_sub_pd(size, count)));
    _mm512_storeu_pd(&pass.subs.l1[pass.subs.count + 8 * i],
                     _mm512_add_pd(_mm512_abs_pd(above), _mm512_abs_pd(below)));
    // Zeros: all of a sub-block, or the levels that stand on the border.
    const unsigned some = _mm512_cmpneq_pd_mask(scale[i], no), none = _mm512_cmpeq_pd_mask(min[i], no);
    unsigned met = _mm512_cmpeq_pd_mask(_mm512_mul_pd(scale[i], border[i]), min[i]) & some;
    pass.zero += kSize * static_cast<unsigned>(std::popcount(none & ~some));
    for (; met != 0; met &= met - 1) {
      const size_t sub = 8 * i + static_cast<unsigned>(std::countr_zero(met));
      const double level = block.mins[sub] / block.scales[sub];
      for (size_t k = 0; k < kSize; k++) pass.zero += block.levels[kSize * sub + k] == level ? 1 : 0;
    }
  }
}

}  // namespace
}  // namespace steelyard
#endif
