// The block kernel for AVX-512. No FMA but where products are exact: it would round once
// where the portable code rounds twice.
#if defined(__x86_64__)
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 about its own _mm512_undefined (bug 105593)
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "counts/blocks/blocks.h"

#if defined(__clang__)
#pragma clang attribute push(                                                             \
    __attribute__((target("avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#endif
#define STEELYARD_AVX2
#define STEELYARD_AVX512
#include "counts/blocks/blocks_lanes.h"

namespace steelyard {
namespace {

void sum(SubBlocks& subs, BlockSums& sums) {
  sum_sub_blocks<64>(subs, sums);
}

}  // namespace
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const BlockKernel kBlocksAvx512 = {pass_any, sum};

}  // namespace steelyard
#endif
