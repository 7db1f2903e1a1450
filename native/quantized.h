// ggml's quantised blocks (ggml-common.h): scales, quants, and the values they stand for.
#pragma once
#include <cstddef>
#include <cstdint>

#include "codes.h"
#include "dtype.h"
#include "rows.h"
#include "stats.h"
#include "values.h"

namespace steelyard {

class BlockCounts {
 public:
  void begin(Dtype dtype, Rows* rows);
  // Whole blocks.
  void update(const uint8_t* data, size_t size);
  void finish(Stats& stats);

 private:
  Dtype dtype_ = Dtype::Q8_0;
  Rows* rows_ = nullptr;
  uint64_t blocks_ = 0, at_extreme_ = 0;
  uint64_t quants_[256] = {};
  CodeHistogram scales_, mins_;
  Values values_;
};

}  // namespace steelyard
