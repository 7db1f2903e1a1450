// The portable loops over codes.
#include "counts/codes/kernel/code_kernel.h"

#include "counts/codes/kernel/code_lanes.h"

namespace steelyard {

const CodeKernel kCodesPortable = {find_reach<16>,   list_codes<16>,      decode_codes<16>,
                                   weigh_values<16>, sum_information<16>, list_small_information<16>};

}  // namespace steelyard
