// Dtypes of at most 16 bits: the histogram of their codes is a sufficient statistic, every number is derived
// from it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dtype.h"
#include "entropy.h"
#include "moments.h"
#include "stats.h"

namespace steelyard {

// How the codes of a format become values.
struct CodeFormat {
  enum class Kind : uint8_t { kFloat, kSigned, kUnsigned };
  enum class Specials : uint8_t {
    kNone,         // every code is a number (F4)
    kIeee,         // exponent all ones: Inf, NaN
    kNanAllOnes,   // one NaN per sign, exponent and mantissa all ones; no Inf (OCP OFP8 E4M3, MX E8M0)
    kNanNegative,  // one NaN, the code of negative zero; no Inf (FNUZ)
  };
  Kind kind;
  uint8_t bits;
  bool has_sign = false;
  uint8_t exponent_bits = 0, mantissa_bits = 0;
  int bias = 0;
  Specials specials = Specials::kNone;

  size_t codes() const { return size_t{1} << bits; }
  unsigned exponent(unsigned code) const { return (code >> mantissa_bits) & ((1u << exponent_bits) - 1); }
  unsigned mantissa(unsigned code) const { return code & ((1u << mantissa_bits) - 1); }
  bool negative(unsigned code) const { return has_sign && (code >> (bits - 1)) != 0; }
  bool nan(unsigned code) const;
  bool inf(unsigned code) const;
  bool subnormal(unsigned code) const;
  // Neither zero nor subnormal nor special, as most codes are.
  bool ordinary(unsigned code) const {
    const unsigned field = exponent(code);
    return specials == Specials::kIeee && field != 0 && field != (1u << exponent_bits) - 1;
  }
  // NaN and Inf come back as such.
  double value(unsigned code) const;
};

// nullptr for dtypes that are not counted by code.
const CodeFormat* code_format(Dtype dtype);
extern const CodeFormat kF16Codes, kE8m0Codes, kUe4m3Codes;

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
CodeSummary summarize(const CodeFormat& format, const std::vector<CodeCount>& codes);
double code_entropy(const Entropy& entropy, const std::vector<CodeCount>& codes);
ScaleStats scale_stats(const CodeFormat& format, const std::vector<CodeCount>& codes);

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
  // The codes that occurred among the first `codes` ones, in code order; begins again.
  void take(size_t codes, std::vector<CodeCount>& present);

 private:
  static constexpr size_t kGroup = 64;
  void spill();
  void take_group(size_t first, std::vector<CodeCount>& present);

  std::vector<uint32_t> bins_ = std::vector<uint32_t>(kBins);
  uint8_t marks_[kCodes / kGroup] = {};
  bool marked_ = false;
  std::vector<uint64_t> spilled_;  // empty until a tensor has more than 2^31 codes
  uint64_t unspilled_ = 0;
};

}  // namespace steelyard
