#include "counts/values/floats.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "counts/codes/entropy.h"

namespace steelyard {

constexpr size_t kBlockSize = 4 * kSweepBlock;

void DistinctNans::add(uint64_t code) {
  const auto place = std::lower_bound(codes_.begin(), codes_.end(), code);
  if ((place != codes_.end() && *place == code) || codes_.size() == kDistinctNanMax) return;
  codes_.insert(place, code);
}

void FloatCounts::begin(Rows* rows, bool small) {
  rows_ = rows;
  small_ = small;
  std::memset(trailing_zeros_, 0, sizeof trailing_zeros_);
  elements_ = zero_ = negative_zero_ = nan_ = pos_inf_ = neg_inf_ = 0;
  nans_.begin();
  totals_.begin();
  block_.clear();
}

Tally FloatCounts::offer(const uint8_t* data, size_t size) {
  if (small_) codes_.reach(data, size, 0x7fff0000);
  return {.count = Count::kFloats, .size = size, .bytes = data, .bins = codes_.bins(size / 4)};
}

void FloatCounts::update(const uint8_t* data, size_t size) {
  elements_ += size / 4;
  if (!block_.empty()) {
    const size_t taken = std::min(size, kBlockSize - block_.size());
    block_.insert(block_.end(), data, data + taken);
    data += taken;
    size -= taken;
    if (block_.size() < kBlockSize) return;
    sweep_block(block_.data(), kSweepBlock);
    block_.clear();
  }
  for (; size >= kBlockSize; data += kBlockSize, size -= kBlockSize) sweep_block(data, kSweepBlock);
  block_.assign(data, data + size);
}

void FloatCounts::sweep_block(const uint8_t* data, size_t count) {
  if (rows_ != nullptr) {
    std::vector<double> values(count);
    for (size_t i = 0; i < count; i++) {
      float value;
      std::memcpy(&value, data + 4 * i, sizeof value);
      values[i] = value;
    }
    rows_->add(values.data(), count);
  }
  size_t finite = count;
  if (kernel_.sweeps.float_codes(data, count, trailing_zeros_)) finite -= count_specials(data, count);
  BlockSums sums;
  kernel_.sweeps.floats(data, count, finite, sums);
  totals_.add(sums);
}

// Returns how many of the values are not finite.
size_t FloatCounts::count_specials(const uint8_t* data, size_t count) {
  size_t special = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t code;
    std::memcpy(&code, data + 4 * i, sizeof code);
    const unsigned exponent = code >> 23 & 0xff;
    if (exponent != 0 && exponent != 0xff) continue;
    if (exponent == 0xff) {
      special++;
      if ((code & 0x7fffff) != 0) {
        nan_++;
        nans_.add(code);
      } else {
        ((code >> 31) != 0 ? neg_inf_ : pos_inf_)++;
      }
    } else if (code << 1 == 0) {
      zero_++;
      negative_zero_ += code >> 31;
    } else {
      magnitudes_.add(std::bit_cast<float>(code), 1);  // the leading bits of a subnormal do not tell its size
    }
  }
  return special;
}

void FloatCounts::finish(Stats& stats) {
  if (!block_.empty()) sweep_block(block_.data(), block_.size() / 4);
  stats.has_values = true;
  stats.zero = zero_;
  stats.negative_zero = negative_zero_;
  stats.nan = nan_;
  stats.pos_inf = pos_inf_;
  stats.neg_inf = neg_inf_;
  stats.distinct_nan = nans_.count();
  totals_.write(stats);
  finish_codes(stats);
}

void FloatCounts::finish_codes(Stats& stats) {
  uint64_t planes[4][256] = {}, exponents[256] = {}, mantissas[128] = {};
  for (unsigned byte = 0; byte < 256; byte++) {
    planes[0][byte] = codes_.at(CodeHistogram::kCodes + byte);
    planes[1][byte] = codes_.at(CodeHistogram::kCodes + 256 + byte);
    if (byte != 0) trailing_zeros_[std::countr_zero(byte)] += planes[0][byte];
  }
  const CodeCounts codes = codes_.take(CodeHistogram::kCodes);
  for (size_t i = 0; i < codes.size; i++) {
    const uint32_t code = codes.codes[i];
    const uint64_t count = codes.counts[i];
    const unsigned exponent = code >> 7 & 0xff;
    planes[2][code & 0xff] += count;
    planes[3][code >> 8] += count;
    exponents[exponent] += count;
    mantissas[code & 0x7f] += count;
    if (exponent != 0 && exponent != 0xff) magnitudes_.add(std::bit_cast<float>(code << 16), count);
  }
  magnitudes_.finish(stats.negative, stats.positive);
  const Entropy entropy(kernel_.codes, elements_);
  stats.code_entropy = entropy.of(codes.counts, codes.size);
  stats.exponent_entropy = entropy.of(exponents, 256);
  stats.mantissa_entropy = entropy.of(mantissas, 128);
  for (const auto& plane : planes) stats.byte_entropy.push_back(entropy.of(plane, 256));
  stats.trailing_zeros.assign(trailing_zeros_, trailing_zeros_ + 24);
  stats.subnormal = exponents[0] - zero_;
}

}  // namespace steelyard
