// Dtypes of at most 16 bits: the histogram of their codes is a sufficient statistic, every number is derived
// from it.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "counts/codes/code_format.h"
#include "counts/codes/entropy.h"
#include "counts/codes/kernel/code_kernel.h"
#include "counts/moments/moments.h"
#include "record/stats.h"

namespace steelyard {

// The codes that occur, in order, and how often each does.
struct CodeCounts {
  const uint32_t* codes;
  const uint64_t* counts;
  size_t size;
};

// Everything that is known of a set of codes, in code order.
struct CodeSummary {
  uint64_t count = 0, zero = 0, negative_zero = 0, negative = 0, nan = 0, pos_inf = 0, neg_inf = 0,
           subnormal = 0;
  uint64_t distinct_nan = 0;
  double min = kNone, max = kNone;
  WeightedSums sums;  // over finite values
};
CodeSummary summarize(const CodeKernel& kernel, const CodeFormat& format, const CodeCounts& codes);
ScaleStats scale_stats(const CodeKernel& kernel, const CodeFormat& format, const CodeCounts& codes);

// How often each value of the fields of a code occurs.
struct CodeFields {
  uint64_t exponents[256] = {}, mantissas[128] = {};  // the leading (at most) 7 bits of the mantissa field
  uint64_t low[256] = {}, high[256] = {};             // bytes
  uint64_t trailing_zeros[17] = {};                   // of the mantissa field; the last: it is zero
};
// Adds to `magnitudes`, too.
CodeFields count_fields(const CodeFormat& format, const CodeCounts& codes, Magnitudes& magnitudes);

// A histogram of 16-bit codes, with room beside it for tables of bytes.
class CodeHistogram {
 public:
  static constexpr size_t kCodes = 1 << 16, kBins = kCodes + 512;

  explicit CodeHistogram(const CodeKernel& kernel) : kernel_(kernel) {}
  void count(uint32_t code) { bins_[code]++; }
  // The bins, for at most `increments` more.
  uint32_t* bins(size_t increments);
  // Tells of a small tensor, code by code, which bins to look at: looking at all of them costs more than it
  // does.
  void reach(uint32_t code) {
    const auto magnitude = static_cast<uint16_t>(code & 0x7fff);
    reach_.high = std::max(reach_.high, magnitude);
    reach_.low = std::min(reach_.low, magnitude == 0 ? reach_.low : magnitude);
    reached_ = true;
  }
  // Likewise, of the codes that lie in `data` where `mask` has 0x7fff in every 32 bits.
  void reach(const uint8_t* data, size_t size, uint32_t mask) {
    kernel_.reach(data, size, mask, reach_);
    reached_ = true;
  }
  // How often `bin` was counted; before take().
  uint64_t at(size_t bin) const { return bins_[bin] + (spilled_.empty() ? 0 : spilled_[bin]); }
  // Folds the four tables that bytes are counted in into the first 256 bins.
  void fold_bytes();
  // From the first 256 bins, of bytes, to 16 of the codes that lie two in a byte.
  void unpack_nibbles();
  // The codes that occurred among the first `codes` ones, in code order; begins again. Good until the next
  // take().
  CodeCounts take(size_t codes);

 private:
  void spill();
  void list(size_t first, size_t end);
  void list_spilled(size_t codes);

  const CodeKernel& kernel_;
  std::vector<uint32_t> bins_ = std::vector<uint32_t>(kBins);
  CodeReach reach_;
  bool reached_ = false;
  std::vector<uint64_t> spilled_;  // empty until a tensor has more than 2^31 codes
  uint64_t unspilled_ = 0;
  size_t present_ = 0;
  std::unique_ptr<uint32_t[]> codes_ = std::make_unique_for_overwrite<uint32_t[]>(kCodes + kCodesAtOnce);
  std::unique_ptr<uint64_t[]> counts_ = std::make_unique_for_overwrite<uint64_t[]>(kCodes + kCodesAtOnce);
};

}  // namespace steelyard
