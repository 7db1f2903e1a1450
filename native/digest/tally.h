// The increments of each kind of count, an eighth of a step (8 bytes) at a time: shared by the plain loop and
// by the woven ones.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#include "digest/woven.h"

#define STEELYARD_INLINE inline __attribute__((always_inline))

namespace steelyard {

STEELYARD_INLINE uint64_t load64(const void* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

STEELYARD_INLINE void count_bytes(uint64_t eight, uint32_t* bins) {
  bins[eight & 0xff]++;
  bins[256 + (eight >> 8 & 0xff)]++;
  bins[512 + (eight >> 16 & 0xff)]++;
  bins[768 + (eight >> 24 & 0xff)]++;
  bins[eight >> 32 & 0xff]++;
  bins[256 + (eight >> 40 & 0xff)]++;
  bins[512 + (eight >> 48 & 0xff)]++;
  bins[768 + (eight >> 56)]++;
}

STEELYARD_INLINE void count_codes(uint64_t four, uint32_t* bins) {
  // Zeroed and constant tensors: four increments of one bin would each wait for the store before it.
  if (four == std::rotl(four, 16)) [[unlikely]] {
    bins[four & 0xffff] += 4;
    return;
  }
  bins[four & 0xffff]++;
  bins[four >> 16 & 0xffff]++;
  bins[four >> 32 & 0xffff]++;
  bins[four >> 48]++;
}

// In two tables in turn, so that of equal neighbours, as sub-blocks of zeros list them, only every other one
// waits for the one before it. A look at whether they are equal, as above, costs more than that: how much
// changes by half with where the linker puts the loop.
STEELYARD_INLINE void count_pairs(uint64_t four, uint32_t* bins) {
  uint32_t* others = bins + kPairBins;
  bins[four & 0xffff]++;
  others[four >> 16 & 0xffff]++;
  bins[four >> 32 & 0xffff]++;
  others[four >> 48]++;
}

STEELYARD_INLINE void count_floats(uint64_t two, uint32_t* bins) {
  uint32_t *low = bins + 65536, *second = low + 256;
  low[two & 0xff]++;
  second[two >> 8 & 0xff]++;
  bins[two >> 16 & 0xffff]++;
  low[two >> 32 & 0xff]++;
  second[two >> 40 & 0xff]++;
  bins[two >> 48]++;
}

// Eighth `part` of the step at `bytes` (and `pairs`).
template <Count kCount>
STEELYARD_INLINE void count_part(int part, const uint8_t* bytes, uint32_t* bins,
                                 [[maybe_unused]] const uint16_t* pairs,
                                 [[maybe_unused]] uint32_t* pair_bins) {
  const uint64_t word = load64(bytes + 8 * part);
  if constexpr (kCount == Count::kBytes || kCount == Count::kPairs) count_bytes(word, bins);
  if constexpr (kCount == Count::kCodes) count_codes(word, bins);
  if constexpr (kCount == Count::kFloats) count_floats(word, bins);
  if constexpr (kCount == Count::kPairs) {
    count_pairs(load64(pairs + 8 * part), pair_bins);
    count_pairs(load64(pairs + 8 * part + 4), pair_bins);
  }
}

}  // namespace steelyard
