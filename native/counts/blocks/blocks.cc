// The portable block kernel, and the sum over sub-blocks.
#include "counts/blocks/blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "counts/blocks/blocks_lanes.h"

namespace steelyard {
namespace {

void sum(SubBlocks& subs, BlockSums& sums) {
  sum_sub_blocks<16>(subs, sums);
}

}  // namespace

const BlockKernel kBlocksPortable = {pass_any, sum};

void BlockPass::close() {
  BlockSums sums;
  if (subs.count > 0) sum(subs, sums);
  sums.min = min;
  sums.max = max;
  totals.add(sums);
  subs.count = 0;
  elements = 0;
}

}  // namespace steelyard
