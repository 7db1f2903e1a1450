// Two passes over each block: the mean first, then powers of the distance to it. One pass over naive power
// sums gives garbage where the mean is large against the spread, as it is in norm weights.
#include "counts/moments/moments.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace steelyard {

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
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023, quarter = static_cast<int>(bits >> 50 & 3);
  if (exponent == -1023) {                                            // subnormal
    const double fraction = std::frexp(std::fabs(value), &exponent);  // [1/2, 1)
    exponent--;
    quarter = static_cast<int>((2 * fraction - 1) * 4);
  }
  const int bin = 4 * exponent + quarter - kFirst, sign = value < 0;
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

void MomentTree::push(const Moments& moments) {
  subtrees_.push_back({moments, 1});
  while (subtrees_.size() > 1 && subtrees_[subtrees_.size() - 2].blocks == subtrees_.back().blocks) {
    const Subtree right = subtrees_.back();
    subtrees_.pop_back();
    Subtree& left = subtrees_.back();
    left = {merge(left.moments, right.moments), left.blocks + right.blocks};
  }
}

Moments MomentTree::total() const {
  Moments all;
  for (size_t i = subtrees_.size(); i > 0; i--) all = merge(subtrees_[i - 1].moments, all);
  return all;
}

}  // namespace steelyard
