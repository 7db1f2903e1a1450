// Dtypes of at most 16 bits: the histogram of their codes is a sufficient statistic, every number is derived
// from it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "code_format.h"
#include "entropy.h"
#include "moments.h"
#include "stats.h"

namespace steelyard {

// A code that occurs, and how often.
struct CodeCount {
  uint32_t code;
  uint64_t count;
};

// Everything that is known of a set of codes, in code order.
struct CodeSummary {
  uint64_t count = 0, zero = 0, negative_zero = 0, negative = 0, nan = 0, pos_inf = 0, neg_inf = 0,
           subnormal = 0;
  uint64_t distinct_nan = 0;
  double min = kNone, max = kNone, l1 = 0, squares = 0;
  Moments moments;
};
CodeSummary summarize(const CodeFormat& format, std::span<const CodeCount> codes);
double code_entropy(const Entropy& entropy, std::span<const CodeCount> codes);
ScaleStats scale_stats(const CodeFormat& format, std::span<const CodeCount> codes);

// How often each value of the fields of a code occurs.
struct CodeFields {
  uint64_t exponents[256] = {}, mantissas[128] = {};  // the leading (at most) 7 bits of the mantissa field
  uint64_t low[256] = {}, high[256] = {};             // bytes
  uint64_t trailing_zeros[17] = {};                   // of the mantissa field; the last: it is zero
};
// Adds to `magnitudes`, too.
CodeFields count_fields(const CodeFormat& format, std::span<const CodeCount> codes, Magnitudes& magnitudes);

// A histogram of 16-bit codes, with room beside it for tables of bytes.
class CodeHistogram {
 public:
  static constexpr size_t kCodes = 1 << 16, kBins = kCodes + 512;

  void count(uint32_t code) { bins_[code]++; }
  void count_marked(uint32_t code) {
    bins_[code]++;
    mark(code);
  }
  // The bins, for at most `increments` more.
  uint32_t* bins(size_t increments);
  // Says of a tensor that will be small which bins to look at: looking at all of them costs more than it
  // does.
  void mark(uint32_t code) { marks_[code / kGroup] = 1, marked_ = true; }
  // Likewise, of a 16-bit code in every `step` bytes.
  void mark(const uint8_t* codes, size_t size, size_t step) {
    for (size_t i = 0; i < size; i += step) marks_[(codes[i] | unsigned{codes[i + 1]} << 8) / kGroup] = 1;
    marked_ = true;
  }
  // How often `bin` was counted; before take().
  uint64_t at(size_t bin) const { return bins_[bin] + (spilled_.empty() ? 0 : spilled_[bin]); }
  // Folds the four tables that bytes are counted in into the first 256 bins.
  void fold_bytes();
  // From the first 256 bins, of bytes, to 16 of the codes that lie two in a byte.
  void unpack_nibbles();
  // The codes that occurred among the first `codes` ones, in code order; begins again. Good until the next
  // take().
  std::span<const CodeCount> take(size_t codes);

 private:
  static constexpr size_t kGroup = 64, kAtOnce = 8;
  void spill();
  CodeCount* take_group(size_t first, CodeCount* present);

  std::vector<uint32_t> bins_ = std::vector<uint32_t>(kBins);
  uint8_t marks_[kCodes / kGroup] = {};
  bool marked_ = false;
  std::vector<uint64_t> spilled_;  // empty until a tensor has more than 2^31 codes
  uint64_t unspilled_ = 0;
  std::unique_ptr<CodeCount[]> present_ = std::make_unique_for_overwrite<CodeCount[]>(kCodes + kAtOnce);
};

}  // namespace steelyard
