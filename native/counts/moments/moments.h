// Central moments, and histograms of magnitudes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "record/stats.h"

namespace steelyard {

// Central moments of n values: m2 = sum of (x - mean)^2, and so on (Pebay, SAND2008-6212).
struct Moments {
  double n = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0;
};
Moments merge(const Moments& a, const Moments& b);
// Fills mean, std, skewness and kurtosis; what is not finite stays null.
void write_moments(const Moments& moments, Stats& stats);

// A pairwise tree over blocks in the order of their index: equal subtrees are merged as soon as they stand
// side by side.
class MomentTree {
 public:
  void begin() { subtrees_.clear(); }
  void push(const Moments& moments);
  // Of everything.
  Moments total() const;

 private:
  struct Subtree {
    Moments moments;
    uint64_t blocks;
  };
  std::vector<Subtree> subtrees_;
};

// Counts of magnitudes in quarter octaves by sign; the bins are fixed, so any two tensors can be compared.
class Magnitudes {
 public:
  Magnitudes() : counts_{std::vector<uint64_t>(kBins), std::vector<uint64_t>(kBins)} {}
  // `value` is finite and not zero.
  void add(double value, uint64_t count);
  // Hands over what was counted and begins again.
  void finish(MagnitudeRun& negative, MagnitudeRun& positive);

 private:
  static constexpr int kFirst = -1074 * 4;  // the smallest subnormal double
  static constexpr int kBins = (1074 + 1024) * 4;
  MagnitudeRun take(int sign);

  std::vector<uint64_t> counts_[2];
  int low_[2] = {kBins, kBins}, high_[2] = {-1, -1};
};

}  // namespace steelyard
