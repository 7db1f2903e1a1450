// The sweeps for wider registers. No FMA: it would round once where the portable code rounds twice.
#include "counts/values/sweep_lanes.h"

#if defined(__x86_64__)

#define STEELYARD_SWEEPS(name, kRegister, features)                                                       \
  __attribute__((target(features))) void floats_##name(const uint8_t* data, size_t count, size_t finite,  \
                                                       BlockSums& sums) {                                 \
    sweep<kRegister, float>(data, count, finite, sums);                                                   \
  }                                                                                                       \
  __attribute__((target(features))) void doubles_##name(const uint8_t* data, size_t count, size_t finite, \
                                                        BlockSums& sums) {                                \
    sweep<kRegister, double>(data, count, finite, sums);                                                  \
  }                                                                                                       \
  __attribute__((target(features))) bool float_codes_##name(const uint8_t* data, size_t count,            \
                                                            uint64_t trailing_zeros[24]) {                \
    return sweep_float_codes<32>(data, count, trailing_zeros);                                            \
  }

namespace steelyard {
namespace {

STEELYARD_SWEEPS(avx2, 32, "avx2")
STEELYARD_SWEEPS(avx512, 64, "avx512f,avx512bw,avx512dq,avx512vl")

}  // namespace

const Sweeps kSweepsAvx2 = {floats_avx2, doubles_avx2, float_codes_avx2};
const Sweeps kSweepsAvx512 = {floats_avx512, doubles_avx512, float_codes_avx512};

}  // namespace steelyard
#endif
