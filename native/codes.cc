// Code formats (IEEE 754, OCP OFP8, OCP MX) and what follows from a histogram of codes.
#include "codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "entropy.h"

namespace steelyard {
namespace {

using Kind = CodeFormat::Kind;
using Specials = CodeFormat::Specials;

constexpr CodeFormat floating(int exponent_bits, int mantissa_bits, int bias, Specials specials) {
  return {Kind::kFloat,
          static_cast<uint8_t>(1 + exponent_bits + mantissa_bits),
          true,
          static_cast<uint8_t>(exponent_bits),
          static_cast<uint8_t>(mantissa_bits),
          bias,
          specials};
}

constexpr CodeFormat kBool = {Kind::kUnsigned, 8}, kU8 = {Kind::kUnsigned, 8}, kU16 = {Kind::kUnsigned, 16};
constexpr CodeFormat kI8 = {Kind::kSigned, 8, true}, kI16 = {Kind::kSigned, 16, true};
constexpr CodeFormat kBf16 = floating(8, 7, 127, Specials::kIeee);
constexpr CodeFormat kF4 = floating(2, 1, 1, Specials::kNone);            // OCP MX E2M1
constexpr CodeFormat kF8E5m2 = floating(5, 2, 15, Specials::kIeee);       // OCP OFP8 E5M2
constexpr CodeFormat kF8E4m3 = floating(4, 3, 7, Specials::kNanAllOnes);  // OCP OFP8 E4M3
constexpr CodeFormat kF8E4m3fnuz = floating(4, 3, 8, Specials::kNanNegative);
constexpr CodeFormat kF8E5m2fnuz = floating(5, 2, 16, Specials::kNanNegative);

// Adds without losing what does not fit into the sum (Knuth's TwoSum): the mean of a symmetric tensor is a
// small difference of large sums.
struct ExactSum {
  double high = 0, low = 0;
  void add(double x) {
    double sum = high + x, added = sum - high;
    low += (high - (sum - added)) + (x - added);
    high = sum;
  }
  double value() const { return high + low; }
};

Moments moments_of(const CodeFormat& format, const std::vector<CodeCount>& codes, uint64_t finite) {
  Moments moments;
  moments.n = static_cast<double>(finite);
  ExactSum sum;
  for (auto [code, count] : codes) {
    double x = format.value(code);
    if (x - x == 0) sum.add(static_cast<double>(count) * x);
  }
  moments.mean = sum.value() / moments.n;
  ExactSum third;
  for (auto [code, count] : codes) {
    double x = format.value(code);
    if (!(x - x == 0)) continue;
    double d = x - moments.mean, d2 = static_cast<double>(count) * d * d;
    moments.m2 += d2;
    third.add(d2 * d);
    moments.m4 += d2 * d * d;
  }
  moments.m3 = third.value();
  return moments;
}

}  // namespace

const CodeFormat kF16Codes = floating(5, 10, 15, Specials::kIeee);
const CodeFormat kE8m0Codes = {Kind::kFloat, 8, false, 8, 0, 127, Specials::kNanAllOnes};  // OCP MX E8M0
const CodeFormat kUe4m3Codes = {Kind::kFloat, 8, false, 4, 3, 7, Specials::kNanAllOnes};   // top bit unused

const CodeFormat* code_format(Dtype dtype) {
  switch (dtype) {
    case Dtype::BOOL:
      return &kBool;
    case Dtype::F4:
      return &kF4;
    case Dtype::U8:
      return &kU8;
    case Dtype::I8:
      return &kI8;
    case Dtype::F8_E5M2:
      return &kF8E5m2;
    case Dtype::F8_E4M3:
      return &kF8E4m3;
    case Dtype::F8_E8M0:
      return &kE8m0Codes;
    case Dtype::F8_E4M3FNUZ:
      return &kF8E4m3fnuz;
    case Dtype::F8_E5M2FNUZ:
      return &kF8E5m2fnuz;
    case Dtype::I16:
      return &kI16;
    case Dtype::U16:
      return &kU16;
    case Dtype::F16:
      return &kF16Codes;
    case Dtype::BF16:
      return &kBf16;
    default:
      return nullptr;
  }
}

bool CodeFormat::nan(unsigned code) const {
  const unsigned exponent_ones = (1u << exponent_bits) - 1, mantissa_ones = (1u << mantissa_bits) - 1;
  switch (specials) {
    case Specials::kNone:
      return false;
    case Specials::kIeee:
      return exponent(code) == exponent_ones && mantissa(code) != 0;
    case Specials::kNanAllOnes:
      return exponent(code) == exponent_ones && mantissa(code) == mantissa_ones;
    case Specials::kNanNegative:
      return code == 1u << (bits - 1);
  }
  return false;
}

bool CodeFormat::inf(unsigned code) const {
  return specials == Specials::kIeee && exponent(code) == (1u << exponent_bits) - 1 && mantissa(code) == 0;
}

bool CodeFormat::subnormal(unsigned code) const {
  return kind == Kind::kFloat && mantissa(code) != 0 && exponent(code) == 0;
}

double CodeFormat::value(unsigned code) const {
  if (kind == Kind::kUnsigned) return code;
  if (kind == Kind::kSigned)
    return static_cast<double>(code) - (negative(code) ? static_cast<double>(codes()) : 0);
  if (nan(code)) return kNone;
  double magnitude;
  if (inf(code)) {
    magnitude = HUGE_VAL;
  } else if (exponent(code) == 0 && mantissa_bits > 0) {
    magnitude = std::ldexp(mantissa(code), 1 - bias - mantissa_bits);
  } else {
    magnitude = std::ldexp(mantissa(code) + (1u << mantissa_bits),
                           static_cast<int>(exponent(code)) - bias - mantissa_bits);
  }
  return negative(code) ? -magnitude : magnitude;
}

CodeSummary summarize(const CodeFormat& format, const std::vector<CodeCount>& codes) {
  CodeSummary all;
  uint64_t finite = 0;
  for (auto [code, count] : codes) {
    const double x = format.value(code);
    all.count += count;
    if (x != x) {
      all.nan += count;
      all.distinct_nan = std::min(all.distinct_nan + 1, kDistinctNanMax);
      continue;
    }
    if (x < 0) all.negative += count;
    if (x - x != 0) {
      (x > 0 ? all.pos_inf : all.neg_inf) += count;
      continue;
    }
    finite += count;
    if (x == 0) {
      all.zero += count;
      if (format.negative(code)) all.negative_zero += count;
    }
    if (format.subnormal(code)) all.subnormal += count;
    all.min = x < all.min || all.min != all.min ? x : all.min;
    all.max = x > all.max || all.max != all.max ? x : all.max;
    all.l1 += static_cast<double>(count) * std::fabs(x);
    all.squares += static_cast<double>(count) * (x * x);
  }
  if (finite > 0) all.moments = moments_of(format, codes, finite);
  return all;
}

double code_entropy(const std::vector<CodeCount>& codes) {
  uint64_t total = 0;
  for (auto [code, count] : codes) total += count;
  double bits = 0;
  for (auto [code, count] : codes) bits += static_cast<double>(count) * log2_ratio(total, count);
  return total == 0 ? 0 : bits / static_cast<double>(total);
}

ScaleStats scale_stats(const CodeFormat& format, const std::vector<CodeCount>& codes) {
  CodeSummary all = summarize(format, codes);
  ScaleStats scales;
  scales.present = true;
  scales.count = all.count;
  scales.zero = all.zero;
  scales.negative = all.negative;
  scales.nan = all.nan;
  scales.inf = all.pos_inf + all.neg_inf;
  scales.subnormal = all.subnormal;
  scales.min = all.min;
  scales.max = all.max;
  if (all.moments.n > 0) {
    scales.mean = all.moments.mean;
    scales.std = std::sqrt(all.moments.m2 / all.moments.n);
  }
  scales.entropy = code_entropy(codes);
  return scales;
}

void CodeHistogram::update(const uint8_t* data, size_t size, unsigned bits) {
  unspilled_ += size;
  if (unspilled_ >= uint64_t{1} << 30) spill();
  if (bits == 16) {
    update16(data, size);
  } else if (bits == 8) {
    update8(data, size);
  } else {
    for (size_t i = 0; i < size; i++) {
      bins_[data[i] & 15]++;
      bins_[data[i] >> 4]++;
    }
  }
}

void CodeHistogram::update8(const uint8_t* data, size_t size) {
  // Four tables, folded by take(): equal neighbours do not wait for each other's store.
  size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    bins_[data[i]]++;
    bins_[256 + data[i + 1]]++;
    bins_[512 + data[i + 2]]++;
    bins_[768 + data[i + 3]]++;
  }
  for (; i < size; i++) bins_[data[i]]++;
}

void CodeHistogram::update16(const uint8_t* data, size_t size) {
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t four;
    std::memcpy(&four, data + i, sizeof four);
    bins_[four & 0xffff]++;
    bins_[(four >> 16) & 0xffff]++;
    bins_[(four >> 32) & 0xffff]++;
    bins_[four >> 48]++;
  }
  for (; i < size; i += 2) bins_[data[i] | unsigned{data[i + 1]} << 8]++;
}

// Bins have 32 bits so that they stay in the cache; a huge tensor moves them to wider ones now and then.
void CodeHistogram::spill() {
  spilled_.resize(kBins);
  for (size_t i = 0; i < kBins; i++) spilled_[i] += bins_[i];
  std::fill(bins_.begin(), bins_.end(), 0);
  unspilled_ = 0;
}

std::vector<CodeCount> CodeHistogram::take(size_t codes) {
  if (codes == 256) {
    for (size_t i = 0; i < 256; i++) {
      bins_[i] += bins_[256 + i] + bins_[512 + i] + bins_[768 + i];
      bins_[256 + i] = bins_[512 + i] = bins_[768 + i] = 0;
      if (!spilled_.empty()) spilled_[i] += spilled_[256 + i] + spilled_[512 + i] + spilled_[768 + i];
    }
  }
  std::vector<CodeCount> present;
  for (size_t i = 0; i < codes; i += 2) {
    uint64_t pair;
    std::memcpy(&pair, &bins_[i], sizeof pair);
    if (pair == 0 && spilled_.empty()) continue;
    for (size_t code = i; code < i + 2; code++) {
      uint64_t count = bins_[code] + (spilled_.empty() ? 0 : spilled_[code]);
      if (count > 0) present.push_back({static_cast<uint32_t>(code), count});
      bins_[code] = 0;
    }
  }
  spilled_.clear();
  unspilled_ = 0;
  return present;
}

}  // namespace steelyard
