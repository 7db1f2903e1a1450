// libFuzzer target: a file that is shorter than it was when its size was taken, under any layout. The law: no
// report from the sanitizers, no signal, and never a measurement of bytes that are not there. (Zeros up to
// the end of the last page raise no signal in a mapping; fstat after the pass is what tells, and that is not
// native code's.)
#include "fuzz_ranges.h"

using namespace steelyard;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Dtype> dtypes = [] {
    std::vector<Dtype> all;
    for (size_t i = 0; i < kDtypeCount; i++) all.push_back(static_cast<Dtype>(i));
    return all;
  }();
  if (size < 2) return 0;
  // What is there, in 256ths of what is claimed; then one byte less or more than that around the edges of
  // pages.
  const uint64_t kept = data[0], nudge = data[1];
  data += 2, size -= 2;
  constexpr uint64_t kLead = 3 * 4096;
  Job job = {};
  job.ranges = fuzz::ranges_from(data, size, dtypes, kLead);
  job.size = kLead + size;
  if (invalid(job) != nullptr) std::abort();
  const uint64_t actual = std::min(job.size, job.size * kept / 256 + nudge % 3);
  job.fd = fuzz::file_of(data, size, kLead);
  if (ftruncate(job.fd, static_cast<off_t>(actual)) != 0) std::abort();

  const Measurement read = fuzz::run(job, Io::kPread, best_kernel());
  if (read.outcome != (actual < job.size ? Outcome::kTruncated : Outcome::kDone)) std::abort();
  if (actual < job.size && read.offset != actual) std::abort();
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t mapped = (actual + page - 1) / page * page;
  const Measurement map = fuzz::run(job, Io::kMmap, best_kernel());
  if (map.outcome != (mapped < job.size ? Outcome::kTruncated : Outcome::kDone)) std::abort();
  close(job.fd);
  return 0;
}
