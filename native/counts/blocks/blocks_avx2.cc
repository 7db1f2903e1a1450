// The block kernel for AVX2. No FMA: it would round once where the portable code rounds twice.
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "counts/blocks/blocks.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,popcnt")
#endif
#define STEELYARD_AVX2
#include "counts/blocks/blocks_lanes.h"

namespace steelyard {
namespace {

void sum(SubBlocks& subs, BlockSums& sums) {
  sum_sub_blocks<32>(subs, sums);
}

}  // namespace
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const BlockKernel kBlocksAvx2 = {pass_any, sum};

}  // namespace steelyard
#endif
