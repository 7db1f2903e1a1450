// Two passes over each block: the mean first, then powers of the distance to it. One pass over naive power
// sums gives garbage where the mean is large against the spread, as it is in norm weights.
#include "values.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace steelyard {
namespace {

constexpr size_t kLanes =
    8;  // element i belongs to lane i % 8 on every machine, however wide its registers are

struct Lanes {
  double lane[kLanes] = {};
  double sum() const {
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  }
};

// Calls f(lane, value) for the finite values; the inner loop has a fixed length, so compilers turn it into
// vectors.
template <bool kAllFinite, class F>
void each_lane(const double* values, size_t count, F f) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; lane++) {
      if (kAllFinite || values[i + lane] - values[i + lane] == 0) f(lane, values[i + lane]);
    }
  }
  for (size_t lane = 0; i + lane < count; lane++) {
    if (kAllFinite || values[i + lane] - values[i + lane] == 0) f(lane, values[i + lane]);
  }
}

}  // namespace

Moments merge(const Moments& a, const Moments& b) {
  if (a.n == 0) return b;
  if (b.n == 0) return a;
  const double n = a.n + b.n, d = b.mean - a.mean, d_n = d / n, ab = a.n * b.n;
  Moments sum;
  sum.n = n;
  sum.mean = a.mean + d_n * b.n;
  sum.m2 = a.m2 + b.m2 + d * d_n * ab;
  sum.m3 = a.m3 + b.m3 + d * d_n * d_n * ab * (a.n - b.n) + 3 * d_n * (a.n * b.m2 - b.n * a.m2);
  sum.m4 = a.m4 + b.m4 + d * d_n * d_n * d_n * ab * (a.n * a.n - ab + b.n * b.n) +
           6 * d_n * d_n * (a.n * a.n * b.m2 + b.n * b.n * a.m2) + 4 * d_n * (a.n * b.m3 - b.n * a.m3);
  return sum;
}

void write_moments(const Moments& moments, Stats& stats) {
  if (moments.n == 0) return;
  const double variance = moments.m2 / moments.n;
  stats.mean = finite_or_none(moments.mean);
  stats.std = finite_or_none(std::sqrt(variance));
  if (!(variance > 0)) return;
  stats.skewness = finite_or_none(moments.m3 / moments.n / (variance * std::sqrt(variance)));
  stats.kurtosis = finite_or_none(moments.m4 / moments.n / (variance * variance));
}

void Magnitudes::add(double value, uint64_t count) {
  int exponent;
  double fraction = std::frexp(std::fabs(value), &exponent);  // [1/2, 1)
  int bin = 4 * (exponent - 1) + static_cast<int>((2 * fraction - 1) * 4) - kFirst;
  int sign = value < 0;
  counts_[sign][static_cast<size_t>(bin)] += count;
  low_[sign] = std::min(low_[sign], bin);
  high_[sign] = std::max(high_[sign], bin);
}

MagnitudeRun Magnitudes::take(int sign) {
  MagnitudeRun run;
  if (high_[sign] < 0) return run;
  run.first = low_[sign] + kFirst;
  auto begin = counts_[sign].begin() + low_[sign], end = counts_[sign].begin() + high_[sign] + 1;
  run.counts.assign(begin, end);
  std::fill(begin, end, 0);
  low_[sign] = kBins;
  high_[sign] = -1;
  return run;
}

void Magnitudes::finish(MagnitudeRun& negative, MagnitudeRun& positive) {
  positive = take(0);
  negative = take(1);
}

void Values::begin(Rows* rows) {
  rows_ = rows;
  used_ = 0;
  count_ = zero_ = negative_zero_ = nan_ = pos_inf_ = neg_inf_ = 0;
  min_ = HUGE_VAL;
  max_ = -HUGE_VAL;
  l1_ = squares_ = 0;
  subtrees_.clear();
}

// Counts classes and magnitudes of the block; returns how many values are finite.
size_t Values::classify() {
  size_t special = 0;
  for (size_t i = 0; i < used_; i++) {
    uint64_t bits = std::bit_cast<uint64_t>(block_[i]);
    codes_[bits >> 50]++;
    unsigned exponent = (bits >> 52) & 0x7ff;
    if (exponent != 0 && exponent != 0x7ff) [[likely]]
      continue;
    double x = block_[i];
    if (exponent == 0x7ff) {
      special++;
      if (x != x)
        nan_++;
      else if (x > 0)
        pos_inf_++;
      else
        neg_inf_++;
    } else if (x == 0) {
      zero_++;
      negative_zero_ += bits >> 63;
    } else {
      magnitudes_.add(x, 1);  // a subnormal double has no bin of its own among the leading bits
    }
  }
  uncounted_ += used_;
  if (uncounted_ >= uint64_t{1} << 31) count_magnitudes();  // before a 32-bit bin can overflow
  return used_ - special;
}

// The leading 14 bits of a double are its sign, exponent and two bits of mantissa: the quarter octave.
void Values::count_magnitudes() {
  for (uint64_t code = 0; code < codes_.size(); code++) {
    if (codes_[code] == 0) continue;
    unsigned exponent = (code >> 2) & 0x7ff;
    if (exponent != 0 && exponent != 0x7ff) magnitudes_.add(std::bit_cast<double>(code << 50), codes_[code]);
    codes_[code] = 0;
  }
  uncounted_ = 0;
}

void Values::close_block() {
  if (rows_ != nullptr) rows_->add(block_.data(), used_);
  count_ += used_;
  const size_t finite = classify();
  if (finite == used_) {
    push(measure_block<true>(finite));
  } else if (finite > 0) {
    push(measure_block<false>(finite));
  } else {
    push({});
  }
  used_ = 0;
}

template <bool kAllFinite>
Moments Values::measure_block(size_t finite) {
  struct Extremes {
    double min[kLanes], max[kLanes];
  } extremes;
  std::fill(extremes.min, extremes.min + kLanes, min_);
  std::fill(extremes.max, extremes.max + kLanes, max_);
  Lanes sum, magnitude, square;
  each_lane<kAllFinite>(block_.data(), used_, [&](size_t lane, double x) {
    sum.lane[lane] += x;
    magnitude.lane[lane] += std::fabs(x);
    square.lane[lane] += x * x;
    extremes.min[lane] = x < extremes.min[lane] ? x : extremes.min[lane];
    extremes.max[lane] = x > extremes.max[lane] ? x : extremes.max[lane];
  });
  min_ = *std::min_element(extremes.min, extremes.min + kLanes);
  max_ = *std::max_element(extremes.max, extremes.max + kLanes);
  l1_ += magnitude.sum();
  squares_ += square.sum();

  Moments moments;
  moments.n = static_cast<double>(finite);
  moments.mean = sum.sum() / moments.n;
  Lanes second, third, fourth;
  each_lane<kAllFinite>(block_.data(), used_, [&](size_t lane, double x) {
    const double d = x - moments.mean, d2 = d * d;
    second.lane[lane] += d2;
    third.lane[lane] += d2 * d;
    fourth.lane[lane] += d2 * d2;
  });
  moments.m2 = second.sum();
  moments.m3 = third.sum();
  moments.m4 = fourth.sum();
  return moments;
}

// A pairwise tree over the blocks in the order of their index: equal subtrees are merged as soon as they
// stand side by side.
void Values::push(Moments moments) {
  subtrees_.push_back({moments, 1});
  while (subtrees_.size() > 1 && subtrees_[subtrees_.size() - 2].blocks == subtrees_.back().blocks) {
    Subtree right = subtrees_.back();
    subtrees_.pop_back();
    Subtree& left = subtrees_.back();
    left = {merge(left.moments, right.moments), left.blocks + right.blocks};
  }
}

void Values::finish(Stats& stats) {
  if (used_ > 0) close_block();
  while (subtrees_.size() > 1) {
    Subtree right = subtrees_.back();
    subtrees_.pop_back();
    subtrees_.back().moments = merge(subtrees_.back().moments, right.moments);
  }
  stats.has_values = true;
  stats.zero = zero_;
  stats.negative_zero = negative_zero_;
  stats.nan = nan_;
  stats.pos_inf = pos_inf_;
  stats.neg_inf = neg_inf_;
  count_magnitudes();
  magnitudes_.finish(stats.negative, stats.positive);
  if (nan_ + pos_inf_ + neg_inf_ == count_) return;
  stats.min_bits = std::bit_cast<uint64_t>(min_);
  stats.max_bits = std::bit_cast<uint64_t>(max_);
  stats.abs_max_bits = std::bit_cast<uint64_t>(std::max(std::fabs(min_), std::fabs(max_)));
  stats.l1 = finite_or_none(l1_);
  stats.l2 = finite_or_none(std::sqrt(squares_));
  Moments moments = subtrees_[0].moments;
  // The mean of equal values may be rounded; their variance is 0 all the same.
  if (min_ == max_) moments = {moments.n, min_, 0, 0, 0};
  write_moments(moments, stats);
}

}  // namespace steelyard
