// What follows from a histogram of codes.
#include "codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "lanes.h"

namespace steelyard {
namespace {

using V = Vectors<16>;
using Doubles = V::Doubles;

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

STEELYARD_LANES CodeSummary summarize_as(const CodeFormat& format, std::span<const CodeCount> codes) {
  CodeSummary all;
  Weighted weighted;
  weighted.values.reserve(codes.size() + kLanes);
  weighted.counts.reserve(codes.size() + kLanes);
  uint64_t finite = 0;
  for (auto [code, count] : codes) {
    all.count += count;
    if (format.ordinary(code)) [[likely]] {
      const double x = format.ordinary_value(code);
      finite += count;
      if (x < 0) all.negative += count;
      all.min = x >= all.min ? all.min : x;
      all.max = x <= all.max ? all.max : x;
      weighted.add(x, count);
      continue;
    }
    const double x = format.value(code);
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

STEELYARD_LANES CodeFields count_fields_as(const CodeFormat& format, std::span<const CodeCount> codes,
                                           Magnitudes& magnitudes) {
  CodeFields fields;
  const unsigned mantissa_shift = format.mantissa_bits > 7 ? format.mantissa_bits - 7u : 0;
  unsigned same_group = 0, same_code = 0;
  uint64_t same_count = 0;
  for (auto [code, count] : codes) {
    fields.low[code & 0xff] += count;
    fields.high[code >> 8] += count;
    // Neighbouring codes share a quarter octave.
    const unsigned group = format.mantissa_bits > 2 ? code >> (format.mantissa_bits - 2) : code;
    if (same_count > 0 && (group != same_group || !format.ordinary(code))) {
      magnitudes.add(format.value(same_code), same_count);
      same_count = 0;
    }
    if (format.ordinary(code)) {
      same_group = group;
      same_code = code;
      same_count += count;
    } else if (const double x = format.value(code); x - x == 0 && x != 0) {
      magnitudes.add(x, count);
    }
    if (format.kind != CodeFormat::Kind::kFloat) continue;
    fields.exponents[format.exponent(code)] += count;
    if (format.mantissa_bits == 0) continue;
    const unsigned mantissa = format.mantissa(code);
    fields.mantissas[mantissa >> mantissa_shift] += count;
    fields.trailing_zeros[std::countr_zero(mantissa | 1u << format.mantissa_bits)] += count;
  }
  if (same_count > 0) magnitudes.add(format.value(same_code), same_count);
  return fields;
}

// What most weights are gets a loop of its own: the fields of the format are constants in it.
template <class Loop>
auto compiled_for(const CodeFormat& format, Loop loop) {
  if (&format == &kBf16Codes) return loop(kBf16Codes);
  if (&format == &kF16Codes) return loop(kF16Codes);
  return loop(format);
}

}  // namespace

CodeSummary summarize(const CodeFormat& format, std::span<const CodeCount> codes) {
  return compiled_for(
      format, [&](const CodeFormat& f) __attribute__((always_inline)) { return summarize_as(f, codes); });
}

CodeFields count_fields(const CodeFormat& format, std::span<const CodeCount> codes, Magnitudes& magnitudes) {
  return compiled_for(
      format, [&](const CodeFormat& f)
                  __attribute__((always_inline)) { return count_fields_as(f, codes, magnitudes); });
}

double code_entropy(const Entropy& entropy, std::span<const CodeCount> codes) {
  std::vector<uint64_t> counts;
  counts.reserve(codes.size());
  for (auto [code, count] : codes) counts.push_back(count);
  return entropy.of(counts.data(), counts.size());
}

ScaleStats scale_stats(const CodeFormat& format, std::span<const CodeCount> codes) {
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
