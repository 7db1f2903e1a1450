// The loops over codes for AVX2. No FMA: it would round once where the portable code rounds twice.
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "counts/codes/code_format.h"
#include "counts/codes/kernel/code_kernel.h"
#include "counts/moments/lanes.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
#include "counts/codes/kernel/code_lanes.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace steelyard {

const CodeKernel kCodesAvx2 = {find_reach<32>,   list_codes<32>,      decode_codes<32>,
                               weigh_values<32>, sum_information<32>, list_small_information<32>};

}  // namespace steelyard
#endif
