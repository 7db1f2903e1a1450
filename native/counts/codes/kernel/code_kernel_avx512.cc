// The loops over codes for AVX-512. No FMA: it would round once where the portable code rounds twice.
#if defined(__x86_64__)
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 about its own _mm512_undefined (bug 105593)
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <cstring>

#include "counts/codes/code_format.h"
#include "counts/codes/kernel/code_kernel.h"
#include "counts/moments/lanes.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl")
#endif
#define STEELYARD_AVX512
#include "counts/codes/kernel/code_lanes.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace steelyard {

const CodeKernel kCodesAvx512 = {find_reach<64>,   list_codes<64>,      decode_codes<64>,
                                 weigh_values<64>, sum_information<64>, list_small_information<64>};

}  // namespace steelyard
#endif
