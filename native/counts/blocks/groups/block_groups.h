// A whole group of sub-blocks (256 elements) at once, for AVX-512. Included by blocks_lanes.h. The same sums,
// exact or with the same roundings, as one sub-block after the other.
#pragma once
#include <algorithm>
#include <bit>

#include "counts/blocks/blocks.h"
#include "counts/blocks/decode.h"
#include "counts/blocks/groups/group_pairs.h"
#include "counts/blocks/groups/group_sums.h"
#include "counts/blocks/groups/magnitude_pairs.h"

#ifdef STEELYARD_AVX512
#include <immintrin.h>

namespace steelyard {
namespace {

// The sub-blocks whose limits are beyond the extremes so far.
template <size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void widen_all(const Decoded& block, BlockPass& pass) {
  for (size_t i = 0; i < 256 / kSize; i += 8) {
    const __m512d scale = _mm512_loadu_pd(block.scales + i), min = _mm512_loadu_pd(block.mins + i);
    const __m512d end0 = _mm512_sub_pd(_mm512_mul_pd(scale, _mm512_set1_pd(kLow)), min);
    const __m512d end1 = _mm512_sub_pd(_mm512_mul_pd(scale, _mm512_set1_pd(kHigh)), min);
    unsigned beyond = static_cast<unsigned>(
        _mm512_cmp_pd_mask(_mm512_min_pd(end0, end1), _mm512_set1_pd(pass.min), _CMP_LT_OQ) |
        _mm512_cmp_pd_mask(_mm512_max_pd(end0, end1), _mm512_set1_pd(pass.max), _CMP_GT_OQ));
    for (; beyond != 0; beyond &= beyond - 1) {
      const size_t sub = i + static_cast<unsigned>(std::countr_zero(beyond));
      widen_extremes<kSize>(block.levels + kSize * sub, block.scales[sub], block.mins[sub], pass);
    }
  }
}

// False: a scale or min is no number.
template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
__attribute__((noinline)) bool add_group(const Decoded& block, BlockPass& pass) {
  constexpr size_t kSubs = 256 / kSize;
  SubBlocks& subs = pass.subs;
  __m512d none = _mm512_setzero_pd();
  for (size_t i = 0; i < kSubs; i += 8) {
    const __m512d scale = _mm512_loadu_pd(block.scales + i), min = _mm512_loadu_pd(block.mins + i);
    none = _mm512_add_pd(none, _mm512_add_pd(_mm512_sub_pd(scale, scale), _mm512_sub_pd(min, min)));
    _mm512_storeu_pd(&subs.scales[subs.count + i], scale);
    _mm512_storeu_pd(&subs.mins[subs.count + i], min);
  }
  if (_mm512_cmpeq_pd_mask(none, _mm512_setzero_pd()) != 0xff) [[unlikely]]
    return false;
  sum_powers<kSize, std::max(-kLow, kHigh)>(block.levels, subs);
  if constexpr (has_min(kDtype)) {
    sum_signs_about_min<kSize>(block, pass);
  } else {
    sum_signs<kDtype, kSize, kLow>(block, pass);
  }
  subs.count += kSubs;
  widen_all<kSize, kLow, kHigh>(block, pass);
  bool listed;
  if constexpr (has_min(kDtype) || quants_of(kDtype) == Quants::kNibbles) {
    constexpr int kLevels = quants_of(kDtype) == Quants::kNibbles ? 16 : kHigh + 1;
    listed = list_all_places<kDtype, kSize, kLow, kLevels>(block, pass.pairs);
  } else {
    listed = list_all_products<kSize, std::max(-kLow, kHigh)>(block, pass.pairs);
  }
  for (size_t sub = 0; sub < kSubs && !listed; sub++) {
    list_magnitudes<kDtype, kSize, kLow, kHigh>(block.codes + kSize * sub, block.levels + kSize * sub,
                                                block.scales[sub], block.mins[sub], pass);
  }
  return true;
}

}  // namespace
}  // namespace steelyard
#endif
