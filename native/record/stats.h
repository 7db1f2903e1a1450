// The numbers that one pass over a tensor returns. src/scan/measure/record/stats.ts says what each one means;
// src/scan/measure/record/record.ts reads them in the order in which write() puts them.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace steelyard {

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();  // null on the other side

inline double finite_or_none(double value) {
  return value - value == 0 ? value : kNone;
}

// Results cross to JavaScript as one array of 64-bit slots per file: 100,000 objects would cost a second,
// this does not. Kept in pieces: one that grows would be copied, and its pages cleared, several times.
class Record {
 public:
  void put(double value) {
    if (pieces_.empty() || pieces_.back().size() == kPiece) pieces_.emplace_back().reserve(kPiece);
    pieces_.back().push_back(value);
  }
  void put(uint64_t count) { put(static_cast<double>(count)); }
  void put_bits(uint64_t bits) { put(std::bit_cast<double>(bits)); }
  void put_digest(const uint8_t digest[32]) {
    uint64_t words[4];
    std::memcpy(words, digest, sizeof words);
    for (uint64_t word : words) put_bits(word);
  }
  void put_all(const std::vector<uint64_t>& counts) {
    put(uint64_t{counts.size()});
    for (uint64_t count : counts) put(count);
  }
  // Over the digest that was put first.
  void replace_first_digest(const uint8_t digest[32]) { std::memcpy(pieces_.front().data(), digest, 32); }
  // In bytes.
  size_t size() const {
    return pieces_.empty() ? 0 : ((pieces_.size() - 1) * kPiece + pieces_.back().size()) * sizeof(double);
  }
  void copy_to(void* to) const {
    auto* out = static_cast<double*>(to);
    for (const std::vector<double>& piece : pieces_) out = std::copy(piece.begin(), piece.end(), out);
  }

 private:
  static constexpr size_t kPiece = 1 << 16;
  std::vector<std::vector<double>> pieces_;
};

// A histogram of magnitudes, one sign: bin k holds |x| in [2^(k>>2) * (1 + (k&3)/4), next bin).
struct MagnitudeRun {
  int first = 0;
  std::vector<uint64_t> counts;
};

struct ScaleStats {
  bool present = false;
  uint64_t count = 0, zero = 0, negative = 0, nan = 0, inf = 0, subnormal = 0;
  double min = kNone, max = kNone, mean = kNone, std = kNone, entropy = kNone;
};

struct QuantizedStats {
  bool present = false;
  uint64_t blocks = 0;
  double blocks_at_extreme = kNone;
  ScaleStats scales, mins;
  std::vector<uint64_t> quants;
  double quants_entropy = kNone;
};

struct Stats {
  bool has_values = false;  // every element was decoded
  uint64_t count = 0, zero = 0, negative_zero = 0, nan = 0, pos_inf = 0, neg_inf = 0, subnormal = 0;
  uint64_t distinct_nan = 0;
  // Doubles, or for I64 and U64 the integers themselves (abs_max unsigned).
  uint64_t min_bits = 0, max_bits = 0, abs_max_bits = 0;
  double mean = kNone, std = kNone, l1 = kNone, l2 = kNone, skewness = kNone, kurtosis = kNone;
  double code_entropy = kNone, exponent_entropy = kNone, mantissa_entropy = kNone;
  std::vector<double> byte_entropy;
  MagnitudeRun negative, positive;
  std::vector<uint64_t> trailing_zeros;  // empty: none
  QuantizedStats quantized;

  void write(Record& record) const;
};

inline constexpr uint64_t kDistinctNanMax = 256;

}  // namespace steelyard
