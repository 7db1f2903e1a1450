// What follows from a histogram of codes.
#include "counts/codes/codes.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "counts/moments/lanes.h"

namespace steelyard {
namespace {

// Finite values and how often they occur.
class Weighted {
 public:
  Weighted(const CodeKernel& kernel, size_t most)
      : kernel_(kernel),
        values_(std::make_unique_for_overwrite<double[]>(most + 2 * kLanes)),
        counts_(std::make_unique_for_overwrite<double[]>(most + 2 * kLanes)) {}
  void add(double value, uint64_t count) {
    values_[size_] = value;
    counts_[size_++] = static_cast<double>(count);
  }
  // Those from `first` to `end`, which are ordinary. Returns how many elements have them.
  uint64_t add(const CodeFormat& format, const CodeCounts& codes, size_t first, size_t end) {
    const size_t begun = size_;
    size_ += end - first;
    return kernel_.decode(format, codes.codes + first, codes.counts + first, end - first,
                          values_.get() + begun, counts_.get() + begun);
  }
  void weigh(uint64_t count, WeightedSums& sums) {
    while (size_ % kLanes != 0) add(0, 0);
    kernel_.weigh({values_.get(), counts_.get(), size_}, count, sums);
  }

 private:
  const CodeKernel& kernel_;
  std::unique_ptr<double[]> values_, counts_;
  size_t size_ = 0;
};

// Where the ordinary codes end that begin at `first`: of one sign they stand together.
size_t ordinary_end(const CodeFormat& format, const CodeCounts& codes, size_t first) {
  unsigned last = codes.codes[first] | ((1u << (format.exponent_bits + format.mantissa_bits)) - 1);
  last -= 1u << format.mantissa_bits;
  return static_cast<size_t>(std::upper_bound(codes.codes + first, codes.codes + codes.size, last) -
                             codes.codes);
}

// Returns whether it is finite.
bool summarize_one(const CodeFormat& format, unsigned code, double x, uint64_t count, CodeSummary& all) {
  if (x != x) {
    all.nan += count;
    all.distinct_nan = std::min(all.distinct_nan + 1, kDistinctNanMax);
    return false;
  }
  if (x < 0) all.negative += count;
  if (x - x != 0) {
    (x > 0 ? all.pos_inf : all.neg_inf) += count;
    return false;
  }
  if (x == 0) {
    all.zero += count;
    if (format.negative(code)) all.negative_zero += count;
  }
  if (format.subnormal(code)) all.subnormal += count;
  all.min = x >= all.min ? all.min : x;
  all.max = x <= all.max ? all.max : x;
  return true;
}

// So many values have the lowest bits of a code, a byte and the whole mantissa among them.
STEELYARD_LANES unsigned low_values(const CodeFormat& format) {
  return 1u << std::max<unsigned>(8, format.mantissa_bits);
}

// Sums by quarter octave, which neighbours share, and on the way by lowest bits.
STEELYARD_LANES void count_groups(const CodeFormat& format, const CodeCounts& codes, uint64_t* low,
                                  CodeFields& fields, Magnitudes& magnitudes) {
  const unsigned shift = format.mantissa_bits > 2 ? format.mantissa_bits - 2u : 0;
  for (size_t i = 0; i < codes.size;) {
    const unsigned first = codes.codes[i];
    const bool ordinary = format.ordinary(first);
    uint64_t sum = 0;
    do {
      const unsigned code = codes.codes[i];
      const uint64_t count = codes.counts[i++];
      low[code % low_values(format)] += count;
      sum += count;
      if (ordinary) continue;
      if (const double x = format.value(code); x - x == 0 && x != 0) magnitudes.add(x, count);
    } while (i < codes.size && codes.codes[i] >> shift == first >> shift);
    if (ordinary) magnitudes.add(format.ordinary_value(first), sum);
    fields.exponents[format.exponent(first)] += sum;
    fields.high[first >> 8] += sum;
  }
}

STEELYARD_LANES void fold(const CodeFormat& format, const uint64_t* low, CodeFields& fields) {
  for (unsigned i = 0; i < low_values(format); i++) fields.low[i % 256] += low[i];
  const unsigned bits = format.mantissa_bits, mantissas = 1u << bits, shift = bits > 7 ? bits - 7 : 0;
  if (bits == 0) return;
  for (unsigned first = 0; first < low_values(format); first += 1u << shift) {
    uint64_t sum = 0;
    for (unsigned i = first; i < first + (1u << shift); i++) sum += low[i];
    fields.mantissas[first % mantissas >> shift] += sum;
  }
  for (unsigned zeros = 0; zeros < bits; zeros++) {
    for (unsigned i = 1u << zeros; i < low_values(format); i += 2u << zeros)
      fields.trailing_zeros[zeros] += low[i];
  }
  for (unsigned i = 0; i < low_values(format); i += mantissas) fields.trailing_zeros[bits] += low[i];
}

STEELYARD_LANES CodeFields count_fields_of(const CodeFormat& format, const CodeCounts& codes,
                                           Magnitudes& magnitudes) {
  CodeFields fields;
  uint64_t low[1024] = {};
  count_groups(format, codes, low, fields, magnitudes);
  fold(format, low, fields);
  return fields;
}

}  // namespace

CodeSummary summarize(const CodeKernel& kernel, const CodeFormat& format, const CodeCounts& codes) {
  CodeSummary all;
  Weighted weighted(kernel, codes.size);
  uint64_t finite = 0;
  for (size_t i = 0; i < codes.size;) {
    const unsigned code = codes.codes[i];
    if (!format.ordinary(code)) {
      const double x = format.value(code);
      const uint64_t count = codes.counts[i++];
      all.count += count;
      if (!summarize_one(format, code, x, count, all)) continue;
      finite += count;
      weighted.add(x, count);
      continue;
    }
    const size_t end = ordinary_end(format, codes, i);
    const uint64_t run = weighted.add(format, codes, i, end);
    all.count += run;
    finite += run;
    if (format.negative(code)) all.negative += run;
    for (size_t k : {i, end - 1}) {
      const double x = format.ordinary_value(codes.codes[k]);
      all.min = x >= all.min ? all.min : x;
      all.max = x <= all.max ? all.max : x;
    }
    i = end;
  }
  if (finite > 0) weighted.weigh(finite, all.sums);
  return all;
}

CodeFields count_fields(const CodeFormat& format, const CodeCounts& codes, Magnitudes& magnitudes) {
  // What most weights are gets a loop of its own: the fields of the format are constants in it.
  if (&format == &kBf16Codes) return count_fields_of(kBf16Codes, codes, magnitudes);
  if (&format == &kF16Codes) return count_fields_of(kF16Codes, codes, magnitudes);
  return count_fields_of(format, codes, magnitudes);
}

ScaleStats scale_stats(const CodeKernel& kernel, const CodeFormat& format, const CodeCounts& codes) {
  const CodeSummary all = summarize(kernel, format, codes);
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
  if (all.sums.moments.n > 0) {
    scales.mean = all.sums.moments.mean;
    scales.std = std::sqrt(all.sums.moments.m2 / all.sums.moments.n);
  }
  scales.entropy = Entropy(kernel, all.count).of(codes.counts, codes.size);
  return scales;
}

}  // namespace steelyard
