// From a tensor's bytes to its Stats: one counter per method of dtype.h, all of them fed in whole elements or
// blocks.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "codes.h"
#include "dtype.h"
#include "entropy.h"
#include "quantized.h"
#include "rows.h"
#include "stats.h"
#include "values.h"

namespace steelyard {

// Byte planes, classes and codes of 32- and 64-bit dtypes; their values go to Values.
class WideCounts {
 public:
  void begin(Dtype dtype, Rows* rows);
  void update(const uint8_t* data, size_t size);
  void finish(Stats& stats);

 private:
  template <class Word>
  void update_floats(const uint8_t* data, size_t count);
  template <class Integer, bool kExact>
  void update_integers(const uint8_t* data, size_t count);
  void count_nan(uint64_t code);
  void finish_floats(Stats& stats);

  Dtype dtype_ = Dtype::F32;
  Values values_;
  uint64_t planes_[8][256];
  std::vector<uint64_t> leading_ = std::vector<uint64_t>(1 << 16);  // leading 16 bits of float codes
  uint64_t mantissa_[128];
  uint64_t trailing_zeros_[64];
  std::vector<uint64_t> nans_;  // distinct NaN codes, sorted
  int64_t min_signed_, max_signed_;
  uint64_t min_unsigned_, max_unsigned_;
};

// The counter of the tensor at hand: cuts chunks into whole units and calls the right method.
class Counts {
 public:
  explicit Counts(Sha256Kernel kernel) : rows_(kernel) {}

  // `columns`: elements per row if row statistics are wanted, else 0.
  void begin(Dtype dtype, uint64_t size, uint64_t columns);
  void update(const uint8_t* data, size_t size);
  void finish(Record& record);

 private:
  void update_units(const uint8_t* data, size_t size);
  void finish_codes(Stats& stats);
  void add_code_rows(const uint8_t* data, size_t size);

  Dtype dtype_ = Dtype::U8;
  uint64_t size_ = 0;
  size_t unit_ = 1;  // bytes that must be seen together
  uint8_t partial_[kMaxBlockSize];
  size_t partial_size_ = 0;

  Rows rows_;
  ByteCounts bytes_;
  CodeHistogram codes_;
  Magnitudes magnitudes_;
  // Made when a tensor first needs them: most files have one kind of dtype.
  std::optional<WideCounts> wide_;
  std::optional<BlockCounts> blocks_;
};

}  // namespace steelyard
