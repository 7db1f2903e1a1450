// The loops over codes that kernels have of their own. A table of functions per instruction set, compiled
// from code_lanes.h: same operations, same order, same bits.
#pragma once
#include <cstddef>
#include <cstdint>

#include "counts/moments/moments.h"

namespace steelyard {

struct CodeFormat;

// The lowest and the highest magnitude (16-bit code without its sign, the top bit) other than zero.
struct CodeReach {
  uint16_t low = 0x7fff, high = 0;
};

// Values in code order and how often each occurs, filled up to a multiple of kLanes with values that do not.
struct WeightedValues {
  const double *values, *counts;
  size_t size;
};

// Over values: what sums of them say.
struct WeightedSums {
  double l1 = 0, squares = 0;
  Moments moments;
};

struct CodeKernel {
  // Of the codes in `data`, whose magnitudes `mask` has in every 32 bits.
  void (*reach)(const uint8_t* data, size_t size, uint32_t mask, CodeReach& reach);
  // Writes which of the codes from `first` to `end`, multiples of 64, occur and how often, and empties their
  // bins. Returns how many do; there must be room for kCodesAtOnce more.
  size_t (*list)(uint32_t* bins, size_t first, size_t end, uint32_t* codes, uint64_t* counts);
  // Ordinary codes as values, and their counts as numbers; reads and writes up to kLanes more. Returns how
  // many elements have them.
  uint64_t (*decode)(const CodeFormat& format, const uint32_t* codes, const uint64_t* counts, size_t size,
                     double* values, double* numbers);
  // `count`: of elements.
  void (*weigh)(const WeightedValues& weighted, uint64_t count, WeightedSums& sums);
  // Sum of count * log2(total / count); `small` has these of the counts below kSmallCounts.
  double (*information)(const uint64_t* counts, size_t size, double total, const double* small);
  void (*small_information)(double total, double* small);
};
inline constexpr size_t kCodesAtOnce = 16, kSmallCounts = 128;

extern const CodeKernel kCodesPortable;
#if defined(__x86_64__)
extern const CodeKernel kCodesAvx2, kCodesAvx512;
#endif

}  // namespace steelyard
