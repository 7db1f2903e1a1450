// Sums over one block of at most 16,384 values, as the kernels compute them. A table of functions per
// instruction set, all compiled from sweep_lanes.h: same operations, same order, same bits.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "counts/moments/moments.h"

namespace steelyard {

inline constexpr size_t kSweepBlock = 16384;

// Over the finite values.
struct BlockSums {
  double min = HUGE_VAL, max = -HUGE_VAL, l1 = 0, squares = 0;
  Moments moments;
};

struct Sweeps {
  // `finite` of the `count` values at `data` are (the others are skipped). F32 and F64 as they lie in the
  // file.
  void (*floats)(const uint8_t* data, size_t count, size_t finite, BlockSums& sums);
  void (*doubles)(const uint8_t* data, size_t count, size_t finite, BlockSums& sums);
  // Is there any F32 code that is zero, subnormal, infinite or not a number? And the trailing zero bits of
  // those mantissas whose last byte is zero; for the others that byte tells.
  bool (*float_codes)(const uint8_t* data, size_t count, uint64_t trailing_zeros[24]);
};

extern const Sweeps kSweepsPortable;
#if defined(__x86_64__)
extern const Sweeps kSweepsAvx2, kSweepsAvx512;
#endif

// All blocks of a tensor.
class SweepTotals {
 public:
  void begin() { *this = SweepTotals(); }
  void add(const BlockSums& sums);
  // Extremes, norms and moments; nothing where no value was finite.
  void write(Stats& stats) const;

 private:
  BlockSums all_;
  MomentTree tree_;
};

}  // namespace steelyard
