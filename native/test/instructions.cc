// One pass over the first bytes of a file as a tensor of one dtype, for tools that count instructions
// (bench/instructions.ts).
#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pass/measure.h"

using namespace steelyard;

namespace {

// Where a CPU, or what imitates one, has AVX2 and no SHA instructions: the digests as anywhere, the
// statistics as on x86.
#if defined(__x86_64__)
const Kernel kAvx2Statistics = {"avx2 statistics", sha256_portable, weave_portable, kSweepsAvx2,
                                kCodesAvx2,        kBlocksAvx2,     nullptr};
#endif

const Kernel& kernel() {
#if defined(__x86_64__)
  const bool portable = &best_kernel() == &kKernels[kKernelCount - 1];
  if (portable && __builtin_cpu_supports("avx2") != 0) return kAvx2Statistics;
#endif
  return best_kernel();
}

Dtype dtype_of(const char* name) {
  for (size_t i = 0; i < kDtypeCount; i++)
    if (std::strcmp(kDtypes[i].name, name) == 0) return static_cast<Dtype>(i);
  std::abort();
}

}  // namespace

// FILE SIZE [DTYPE]: without one, digests alone. Prints the kernel's name.
int main(int count, char** arguments) {
  if (count < 3) return 2;
  Job job = {};
  job.fd = open(arguments[1], O_RDONLY);
  job.size = std::strtoull(arguments[2], nullptr, 10);
  job.io = Io::kMmap;
  job.kernel = &kernel();
  Range range = {.start = 0, .end = job.size, .counted = count > 3, .dtype = Dtype::U8, .rows = {}};
  if (range.counted) range.dtype = dtype_of(arguments[3]);
  job.ranges = {range};
  if (invalid(job) != nullptr || measure(job).outcome != Outcome::kDone) return 1;
  std::puts(job.kernel->name);
  return 0;
}
