// From a tensor's bytes to its Stats: one counter per method of dtype.h, all of them fed in whole elements or
// blocks.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "counts/blocks/quantized.h"
#include "counts/codes/codes.h"
#include "counts/codes/entropy.h"
#include "counts/dispatch.h"
#include "counts/rows/rows.h"
#include "counts/traces/forensics.h"
#include "counts/values/floats.h"
#include "counts/values/wide.h"
#include "digest/woven.h"
#include "record/dtype.h"
#include "record/stats.h"

namespace steelyard {

// The counter of the tensor at hand: cuts chunks into whole units and calls the right method.
class Counts {
 public:
  explicit Counts(const Kernel& kernel) : kernel_(kernel), rows_(kernel.sha256) {}

  void begin(Dtype dtype, uint64_t size, const RowPlan& rows, bool forensics);
  // Takes the next bytes. What it returns is left to the caller to count, before update(): a digest loop can
  // do it on its way.
  Tally offer(const uint8_t* data, size_t size);
  void update();
  void finish(Record& record);

 private:
  Tally offer_units(const uint8_t* data, size_t size);
  void update_units(const uint8_t* data, size_t size);
  void finish_codes(Stats& stats);
  void add_code_rows(const uint8_t* data, size_t size);

  const Kernel& kernel_;
  Dtype dtype_ = Dtype::U8;
  uint64_t size_ = 0;
  bool small_ = false;
  size_t unit_ = 1;  // bytes that must be seen together
  uint8_t partial_[kMaxBlockSize];
  size_t partial_size_ = 0;
  const uint8_t* units_ = nullptr;  // what was offered last
  size_t units_size_ = 0;

  Rows rows_;
  Forensics forensics_;
  Dtype decoded_ = Dtype::U8;   // whose codes' values these are
  std::vector<double> values_;  // by code
  ByteCounts bytes_;
  Magnitudes magnitudes_;
  // Made when a tensor first needs them: most files have one kind of dtype.
  std::optional<CodeHistogram> codes_;
  std::optional<FloatCounts> floats_;
  std::optional<WideCounts> wide_;
  std::optional<BlockCounts> blocks_;
};

}  // namespace steelyard
