// Integer sums over the levels of one sub-block. Included by blocks_lanes.h, once per instruction set.
#pragma once
#include "counts/blocks/blocks.h"
#include "counts/moments/lanes.h"

#ifdef STEELYARD_AVX2
#include <immintrin.h>
#endif

namespace steelyard {
namespace {

template <size_t kSize>
void widen_extremes(const int8_t* levels, double scale, double min, BlockPass& pass) {
  for (size_t i = 0; i < kSize; i++) {
    const double x = scale * levels[i] - min;
    if (x < pass.min) pass.min = x;
    if (x > pass.max) pass.max = x;
  }
}

// Of one sub-block of levels: the sums of SubBlocks, and how it lies about `limit`.
struct LevelSums {
  int32_t powers[4];
  int32_t above, sum_above, equal;  // levels above the limit, their sum, levels equal to it
};

#ifdef STEELYARD_AVX2
template <size_t kSize>
STEELYARD_LANES void sum_levels(const int8_t* levels, int limit, LevelSums& out) {
  const __m128i half0 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels));
  const __m128i half1 =
      kSize == 32 ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels + 16)) : _mm_setzero_si128();
  const __m256i ones = _mm256_set1_epi16(1), centre = _mm256_set1_epi16(8192);
  __m256i first = _mm256_setzero_si256(), second = first, third = first, fourth = first;
  for (size_t i = 0; i < kSize / 16; i++) {
    const __m256i q = _mm256_cvtepi8_epi16(i == 0 ? half0 : half1), q2 = _mm256_mullo_epi16(q, q);
    const __m256i centred = _mm256_sub_epi16(q2, centre);
    first = _mm256_add_epi32(first, _mm256_madd_epi16(q, ones));
    second = _mm256_add_epi32(second, _mm256_madd_epi16(q, q));
    third = _mm256_add_epi32(third, _mm256_madd_epi16(q2, q));
    fourth = _mm256_add_epi32(fourth, _mm256_madd_epi16(centred, centred));
  }
  const __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(first, second), _mm256_hadd_epi32(third, fourth));
  __m128i powers = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  powers = _mm_sub_epi32(powers, _mm_set_epi32(static_cast<int>(kSize << 26), 0, 0, 0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.powers), powers);

  const __m256i all = _mm256_inserti128_si256(_mm256_castsi128_si256(half0), half1, 1);
  const __m256i border = _mm256_set1_epi8(static_cast<char>(limit));
  const unsigned valid = kSize == 32 ? ~0u : 0xffffu;
  const __m256i above = _mm256_cmpgt_epi8(all, border);
  const unsigned above_mask = static_cast<unsigned>(_mm256_movemask_epi8(above)) & valid;
  const unsigned equal_mask =
      static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, border))) & valid;
  out.above = __builtin_popcount(above_mask);
  out.equal = __builtin_popcount(equal_mask);
  // Sums of unsigned bytes are cheap, so levels are raised by 128.
  __m256i raised = _mm256_and_si256(_mm256_xor_si256(all, _mm256_set1_epi8(-128)), above);
  if (kSize == 16) raised = _mm256_inserti128_si256(raised, _mm_setzero_si128(), 1);
  const __m256i sad = _mm256_sad_epu8(raised, _mm256_setzero_si256());
  const __m128i pair = _mm_add_epi64(_mm256_castsi256_si128(sad), _mm256_extracti128_si256(sad, 1));
  out.sum_above = _mm_cvtsi128_si32(pair) + _mm_extract_epi16(pair, 4) - 128 * out.above;
}
#else
template <size_t kSize>
STEELYARD_LANES void sum_levels(const int8_t* levels, int limit, LevelSums& out) {
  out = {};
  int64_t fourth = -static_cast<int64_t>(kSize << 26);
  for (size_t i = 0; i < kSize; i++) {
    const int q = levels[i], q2 = q * q;
    out.powers[0] += q;
    out.powers[1] += q2;
    out.powers[2] += q2 * q;
    fourth += (q2 - 8192) * (q2 - 8192);
    out.above += q > limit ? 1 : 0;
    out.sum_above += q > limit ? q : 0;
    out.equal += q == limit ? 1 : 0;
  }
  out.powers[3] = static_cast<int32_t>(fourth);
}
#endif

}  // namespace
}  // namespace steelyard
