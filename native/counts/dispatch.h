// What this CPU can do. A kernel is a set of functions for one instruction set; every kernel gives the same
// numbers.
#pragma once
#include <cstddef>
#include <string_view>

#include "counts/blocks/blocks.h"
#include "counts/codes/kernel/code_kernel.h"
#include "counts/values/sweep.h"
#include "digest/sha256.h"
#include "digest/woven.h"

namespace steelyard {

struct Kernel {
  const char* name;
  Sha256Kernel sha256;
  Weave weave;
  const Sweeps& sweeps;
  const CodeKernel& codes;
  const BlockKernel& blocks;
  bool (*usable)();
};

// Kernels that this build knows, best first; "portable" is last and always usable.
extern const Kernel kKernels[];
extern const size_t kKernelCount;

const Kernel& best_kernel();
// nullptr if this build does not know the name or this CPU cannot run it.
const Kernel* find_kernel(std::string_view name);

}  // namespace steelyard
