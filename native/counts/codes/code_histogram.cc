// The histogram of codes: counted in 32-bit bins, handed over as the codes that occurred.
#include <algorithm>
#include <cstring>

#include "counts/codes/codes.h"

namespace steelyard {

uint32_t* CodeHistogram::bins(size_t increments) {
  unspilled_ += increments;
  if (unspilled_ >= uint64_t{1} << 31) {
    spill();
    unspilled_ = increments;
  }
  return bins_.data();
}

// Bins have 32 bits so that they stay in the cache; a huge tensor moves them to wider ones now and then.
void CodeHistogram::spill() {
  spilled_.resize(kBins);
  for (size_t i = 0; i < kBins; i++) spilled_[i] += bins_[i];
  std::fill(bins_.begin(), bins_.end(), 0);
}

void CodeHistogram::fold_bytes() {
  for (size_t i = 256; i < 1024; i++) {
    bins_[i % 256] += bins_[i];
    bins_[i] = 0;
    if (!spilled_.empty()) spilled_[i % 256] += spilled_[i];
  }
}

void CodeHistogram::unpack_nibbles() {
  uint64_t nibbles[16] = {};
  spilled_.resize(kBins);
  for (size_t byte = 0; byte < 256; byte++) {
    const uint64_t count = at(byte);
    bins_[byte] = 0;
    spilled_[byte] = 0;
    nibbles[byte & 15] += count;
    nibbles[byte >> 4] += count;
  }
  std::copy(nibbles, nibbles + 16, spilled_.begin());
}

CodeCounts CodeHistogram::take(size_t codes) {
  constexpr size_t kGroup = 64, kSign = kCodes / 2;
  present_ = 0;
  if (!spilled_.empty()) {
    list_spilled(codes);
  } else if (!reached_) {
    list(0, codes);
  } else {
    const size_t low = reach_.low / kGroup * kGroup, end = (reach_.high / kGroup + 1) * kGroup;
    for (size_t sign : {size_t{0}, kSign}) {
      if (low > 0) list(sign, sign + kGroup);  // zeros
      list(sign + low, sign + end);
    }
  }
  reach_ = {};
  reached_ = false;
  std::fill(bins_.begin() + kCodes, bins_.end(), 0);
  spilled_.clear();
  unspilled_ = 0;
  return {codes_.get(), counts_.get(), present_};
}

void CodeHistogram::list(size_t first, size_t end) {
  present_ += kernel_.list(bins_.data(), first, end, codes_.get() + present_, counts_.get() + present_);
}

void CodeHistogram::list_spilled(size_t codes) {
  for (size_t code = 0; code < codes; code++) {
    codes_[present_] = static_cast<uint32_t>(code);
    counts_[present_] = at(code);
    present_ += counts_[present_] > 0 ? 1 : 0;
    bins_[code] = 0;
  }
}

}  // namespace steelyard
