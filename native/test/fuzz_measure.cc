// libFuzzer targets, one for each way of counting (FUZZ_METHOD). The law: no report from the sanitizers, and
// the same record whether the bytes are mapped or read, by whatever kernel, with and without the file's
// digest.
#include "fuzz_ranges.h"

using namespace steelyard;

namespace {

constexpr size_t kDigestSlots = 4;

std::vector<uint64_t> bits_of(const Measurement& result) {
  if (result.outcome != Outcome::kDone) std::abort();
  std::vector<uint64_t> bits(result.record.size() / sizeof(uint64_t));
  result.record.copy_to(bits.data());
  return bits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Dtype> dtypes = fuzz::dtypes_of(Method::FUZZ_METHOD);
  const uint8_t flags = size > 0 ? data[0] : 0;
  // Now and then the bytes lie across the edge of a chunk: blocks and lanes are then fed in two parts.
  const uint64_t lead = (flags & 0xe0) == 0xe0 ? Window::kChunkSize - 64 + (size % 64) : 0;
  Job job = {};
  job.ranges = fuzz::ranges_from(data, size, dtypes, lead);
  job.size = lead + size;
  job.fd = fuzz::file_of(data, size, lead);
  if (invalid(job) != nullptr) std::abort();
  const std::vector<uint64_t> expected = bits_of(fuzz::run(job, Io::kPread, fuzz::portable()));
  if (bits_of(fuzz::run(job, Io::kMmap, best_kernel())) != expected) std::abort();
  job.part = Part::kRanges;
  std::vector<uint64_t> ranges = bits_of(fuzz::run(job, Io::kPread, best_kernel()));
  std::copy_n(expected.begin(), kDigestSlots, ranges.begin());  // of the file: zeros there
  if (ranges != expected) std::abort();
  close(job.fd);
  return 0;
}
