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

std::span<const CodeCount> CodeHistogram::take(size_t codes) {
  CodeCount* end = present_.get();
  for (size_t first = 0; first < codes; first += kGroup) {
    if (!marked_ || marks_[first / kGroup] != 0 || !spilled_.empty()) end = take_group(first, end);
  }
  if (marked_) std::memset(marks_, 0, sizeof marks_);
  marked_ = false;
  std::fill(bins_.begin() + kCodes, bins_.end(), 0);
  spilled_.clear();
  unspilled_ = 0;
  return {present_.get(), end};
}

// Writes every code and goes on only if it occurred: a branch would be mispredicted half the time.
CodeCount* CodeHistogram::take_group(size_t first, CodeCount* present) {
  const bool spilled = !spilled_.empty();
  for (size_t i = first; i < first + kGroup; i += kAtOnce) {
    uint64_t pairs[kAtOnce / 2];
    std::memcpy(pairs, &bins_[i], sizeof pairs);
    if ((pairs[0] | pairs[1] | pairs[2] | pairs[3]) == 0 && !spilled) continue;
    for (size_t code = i; code < i + kAtOnce; code++) {
      *present = {static_cast<uint32_t>(code), spilled ? at(code) : bins_[code]};
      present += present->count > 0 ? 1 : 0;
      bins_[code] = 0;
    }
  }
  return present;
}

}  // namespace steelyard
