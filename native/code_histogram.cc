// The histogram of codes: counted in 32-bit bins, handed over as the codes that occurred.
#include <algorithm>
#include <cstring>

#include "codes.h"

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

void CodeHistogram::take(size_t codes, std::vector<CodeCount>& present) {
  present.clear();
  for (size_t first = 0; first < codes; first += kGroup) {
    if (!marked_ || marks_[first / kGroup] != 0 || !spilled_.empty()) take_group(first, present);
  }
  if (marked_) std::memset(marks_, 0, sizeof marks_);
  marked_ = false;
  std::fill(bins_.begin() + kCodes, bins_.end(), 0);
  spilled_.clear();
  unspilled_ = 0;
}

void CodeHistogram::take_group(size_t first, std::vector<CodeCount>& present) {
  const bool spilled = !spilled_.empty();
  for (size_t i = first; i < first + kGroup; i += 8) {
    uint64_t pairs[4];
    std::memcpy(pairs, &bins_[i], sizeof pairs);
    if ((pairs[0] | pairs[1] | pairs[2] | pairs[3]) == 0 && !spilled) continue;
    CodeCount found[8];
    size_t count = 0;
    for (size_t code = i; code < i + 8; code++) {
      found[count] = {static_cast<uint32_t>(code), spilled ? at(code) : bins_[code]};
      count += found[count].count > 0 ? 1 : 0;
      bins_[code] = 0;
    }
    present.insert(present.end(), found, found + count);
  }
}

}  // namespace steelyard
