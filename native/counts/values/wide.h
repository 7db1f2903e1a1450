// F64 and integers of 32 and 64 bits: integer counts from the codes, everything else from the values.
#pragma once
#include <cstddef>
#include <cstdint>

#include "counts/codes/codes.h"
#include "counts/dispatch.h"
#include "counts/rows/rows.h"
#include "counts/values/floats.h"
#include "counts/values/values.h"
#include "record/dtype.h"
#include "record/stats.h"

namespace steelyard {

class WideCounts {
 public:
  explicit WideCounts(const Kernel& kernel)
      : kernel_(kernel), values_(kernel.sweeps), leading_(kernel.codes) {}
  // `small`: the tensor has few elements.
  void begin(Dtype dtype, bool small, Rows* rows);
  // Whole elements.
  void update(const uint8_t* data, size_t size);
  void finish(Stats& stats);
  const std::vector<uint64_t>& nans() const { return nans_.codes(); }

 private:
  void update_doubles(const uint8_t* data, size_t count);
  template <class Integer, bool kExact>
  void update_integers(const uint8_t* data, size_t count);
  void finish_doubles(Stats& stats);

  const Kernel& kernel_;
  Dtype dtype_ = Dtype::F64;
  uint64_t elements_ = 0;
  Values values_;
  uint64_t planes_[8][256];
  bool small_ = false;
  CodeHistogram leading_;  // leading 16 bits of F64 codes
  uint64_t mantissa_[128];
  uint64_t trailing_zeros_[53];
  DistinctNans nans_;
  int64_t min_signed_, max_signed_;
  uint64_t min_unsigned_, max_unsigned_;
};

}  // namespace steelyard
