// CPU detection and the choice of a kernel; nothing else.
#include "counts/dispatch.h"

#include <iterator>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace steelyard {
namespace {

bool always() {
  return true;
}

#if defined(__x86_64__)
// CPUID leaf 7 EBX bit 29: SHA; leaf 1 ECX bits 9 and 19: SSSE3, SSE4.1 (Intel SDM vol. 2, CPUID).
bool has_x86_sha() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  bool sse = (c & 1u << 9) != 0 && (c & 1u << 19) != 0;
  return sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29) != 0;
}
bool has_avx2() {
  return has_x86_sha() && __builtin_cpu_supports("avx2") != 0;
}

bool has_avx512() {
  return has_x86_sha() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}
#elif defined(__aarch64__)
bool has_arm_sha2() {
#if defined(__APPLE__)
  return true;  // every 64-bit Apple CPU that runs macOS has it
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
#else
  return false;
#endif
}
#endif

}  // namespace

const Kernel kKernels[] = {
#if defined(__x86_64__)
    {"x86-sha-avx512", sha256_x86, weave_x86, kSweepsAvx512, kCodesAvx512, kBlocksAvx512, has_avx512},
    {"x86-sha-avx2", sha256_x86, weave_x86, kSweepsAvx2, kCodesAvx2, kBlocksAvx2, has_avx2},
    {"x86-sha", sha256_x86, weave_x86, kSweepsPortable, kCodesPortable, kBlocksPortable, has_x86_sha},
#elif defined(__aarch64__)
    {"arm-sha2", sha256_arm, weave_arm, kSweepsPortable, kCodesPortable, kBlocksPortable, has_arm_sha2},
#endif
    {"portable", sha256_portable, weave_portable, kSweepsPortable, kCodesPortable, kBlocksPortable, always},
};
const size_t kKernelCount = std::size(kKernels);

const Kernel& best_kernel() {
  static const Kernel& best = [&]() -> const Kernel& {
    size_t i = 0;
    while (!kKernels[i].usable()) i++;
    return kKernels[i];
  }();
  return best;
}

const Kernel* find_kernel(std::string_view name) {
  for (const Kernel& kernel : kKernels) {
    if (name == kernel.name && kernel.usable()) return &kernel;
  }
  return nullptr;
}

}  // namespace steelyard
