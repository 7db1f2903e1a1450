#include "counts/codes/entropy.h"

#include <cstring>

namespace steelyard {

uint32_t* ByteCounts::bins(size_t size) {
  unspilled_ += size;
  if (unspilled_ >= uint64_t{1} << 31) {
    for (size_t i = 0; i < 1024; i++) spilled_[i % 256] += bins_[i];
    std::memset(bins_, 0, sizeof bins_);
    unspilled_ = size;
  }
  return bins_;
}

void ByteCounts::take(uint64_t counts[256]) {
  for (size_t i = 0; i < 256; i++)
    counts[i] = spilled_[i] + bins_[i] + bins_[256 + i] + bins_[512 + i] + bins_[768 + i];
  std::memset(bins_, 0, sizeof bins_);
  std::memset(spilled_, 0, sizeof spilled_);
  unspilled_ = 0;
}

}  // namespace steelyard
