// ggml's quantised blocks (ggml-common.h): scales, quants, and the values they stand for.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counts/blocks/blocks.h"
#include "counts/codes/codes.h"
#include "counts/codes/entropy.h"
#include "counts/dispatch.h"
#include "counts/rows/rows.h"
#include "digest/woven.h"
#include "record/dtype.h"
#include "record/stats.h"

namespace steelyard {

class BlockCounts {
 public:
  explicit BlockCounts(const Kernel& kernel) : kernel_(kernel), scales_(kernel.codes), mins_(kernel.codes) {
    pass_.sum = kernel.blocks.sum;
  }
  // `small`: the tensor has few blocks.
  void begin(Dtype dtype, bool small, Rows* rows);
  // Whole blocks; what it returns is to be counted.
  Tally offer(const uint8_t* data, size_t size, ByteCounts& bytes);
  void finish(Stats& stats, ByteCounts& bytes);

 private:
  void list_pairs(const uint8_t* data, size_t blocks, Tally& tally);
  void count_scales(const uint8_t* data, size_t size);
  // One code of each block.
  template <class CodeOf>
  void count_codes(CodeHistogram& codes, const uint8_t* data, size_t size, CodeOf code_of);
  void finish_values(Stats& stats);
  void fold_pairs();
  std::vector<uint64_t> take_quants(const uint64_t bytes[256]);

  const Kernel& kernel_;
  Dtype dtype_ = Dtype::Q8_0;
  bool small_ = false;
  uint64_t blocks_ = 0;
  CodeHistogram scales_, mins_;
  BlockPass pass_;
  std::vector<uint32_t> pair_bins_ = std::vector<uint32_t>(2 * kPairBins);
  uint64_t pairs_ = 0;   // in pair_bins_
  uint64_t quants_[64];  // of the pairs that were folded
};

}  // namespace steelyard
