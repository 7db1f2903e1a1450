// Code formats (IEEE 754, OCP OFP8, OCP MX) and what follows from a histogram of codes.
#include "codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "lanes.h"

namespace steelyard {
namespace {

using Kind = CodeFormat::Kind;
using V = Vectors<16>;
using Doubles = V::Doubles;
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

// Within the range of normal doubles, which all exponents here are.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

// Adds without losing what does not fit into the sum (Knuth's TwoSum): the mean of a symmetric tensor is a
// small difference of large sums.
template <class Number>
struct ExactSum {
  Number high = {}, low = {};
  void add(const Number& x) {
    const Number sum = high + x, added = sum - high;
    low += (high - (sum - added)) + (x - added);
    high = sum;
  }
};

template <size_t kParts>
double sum_of(const ExactSum<Doubles> (&lanes)[kParts]) {
  ExactSum<double> sum;
  double low = 0;
  for (const ExactSum<Doubles>& part : lanes) {
    for (size_t lane = 0; lane < V::kWidth; lane++) {
      sum.add(part.high[lane]);
      low += part.low[lane];
    }
  }
  return sum.high + (sum.low + low);
}

// Finite values and how often they occur, in code order, filled up to whole vectors with values that do not
// occur.
struct Weighted {
  std::vector<double> values, counts;
  void add(double value, uint64_t count) {
    values.push_back(value);
    counts.push_back(static_cast<double>(count));
  }
  void fill() {
    values.resize((values.size() + kLanes - 1) / kLanes * kLanes);
    counts.resize(values.size());
  }
  template <class F>
  void each(F f) const {
    for (size_t i = 0; i < values.size(); i += kLanes) {
      for (size_t part = 0; part < V::kParts; part++) {
        Doubles x, n;
        load(x, &values[i + part * V::kWidth]);
        load(n, &counts[i + part * V::kWidth]);
        f(part, x, n);
      }
    }
  }
};

void weigh(const Weighted& codes, uint64_t finite, CodeSummary& all) {
  ExactSum<Doubles> sum[V::kParts];
  Doubles l1[V::kParts] = {}, squares[V::kParts] = {};
  codes.each([&](size_t part, const Doubles& x, const Doubles& n) {
    const Doubles nx = n * x;
    sum[part].add(nx);
    l1[part] += (Doubles)((V::Longs)nx & INT64_MAX);
    squares[part] += nx * x;
  });
  all.l1 = steelyard::sum_of(l1);
  all.squares = steelyard::sum_of(squares);

  Moments& moments = all.moments;
  moments.n = static_cast<double>(finite);
  moments.mean = sum_of(sum) / moments.n;
  ExactSum<Doubles> third[V::kParts];
  Doubles second[V::kParts] = {}, fourth[V::kParts] = {};
  codes.each([&](size_t part, const Doubles& x, const Doubles& n) {
    const Doubles d = x - moments.mean, d2 = n * d * d;
    second[part] += d2;
    third[part].add(d2 * d);
    fourth[part] += d2 * d * d;
  });
  moments.m2 = steelyard::sum_of(second);
  moments.m3 = sum_of(third);
  moments.m4 = steelyard::sum_of(fourth);
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
  if (ordinary(code)) {
    const uint64_t field = (uint64_t{exponent(code)} << mantissa_bits) | mantissa(code);
    const uint64_t magnitude = (field << (52 - mantissa_bits)) + (static_cast<uint64_t>(1023 - bias) << 52);
    return std::bit_cast<double>(uint64_t{negative(code)} << 63 | magnitude);
  }
  if (kind == Kind::kUnsigned) return code;
  if (kind == Kind::kSigned)
    return static_cast<double>(code) - (negative(code) ? static_cast<double>(codes()) : 0);
  if (nan(code)) return kNone;
  double magnitude;
  if (inf(code)) {
    magnitude = HUGE_VAL;
  } else if (exponent(code) == 0 && mantissa_bits > 0) {
    magnitude = static_cast<double>(mantissa(code)) * power_of_two(1 - bias - mantissa_bits);
  } else {
    magnitude = static_cast<double>(mantissa(code) + (1u << mantissa_bits)) *
                power_of_two(static_cast<int>(exponent(code)) - bias - mantissa_bits);
  }
  return negative(code) ? -magnitude : magnitude;
}

CodeSummary summarize(const CodeFormat& format, const std::vector<CodeCount>& codes) {
  CodeSummary all;
  Weighted weighted;
  weighted.values.reserve(codes.size() + kLanes);
  weighted.counts.reserve(codes.size() + kLanes);
  uint64_t finite = 0;
  for (auto [code, count] : codes) {
    const double x = format.value(code);
    all.count += count;
    if (format.ordinary(code)) [[likely]] {
      finite += count;
      if (x < 0) all.negative += count;
      all.min = x >= all.min ? all.min : x;
      all.max = x <= all.max ? all.max : x;
      weighted.add(x, count);
      continue;
    }
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
    weighted.add(x, count);
  }
  if (finite == 0) return all;
  weighted.fill();
  weigh(weighted, finite, all);
  return all;
}

double code_entropy(const Entropy& entropy, const std::vector<CodeCount>& codes) {
  std::vector<uint64_t> counts;
  counts.reserve(codes.size());
  for (auto [code, count] : codes) counts.push_back(count);
  return entropy.of(counts.data(), counts.size());
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
  scales.entropy = code_entropy(Entropy(all.count), codes);
  return scales;
}

}  // namespace steelyard
