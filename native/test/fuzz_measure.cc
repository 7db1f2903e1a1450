// libFuzzer target: any bytes under any layout. The law: no report from the sanitizers, and the same record
// whether the bytes are mapped or read, and whatever the kernel.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "../measure.h"

using steelyard::Dtype;
using steelyard::Io;
using steelyard::Job;
using steelyard::Outcome;
using steelyard::Range;

namespace {

// The first bytes of the input describe the ranges (three bytes each), the rest is the file.
std::vector<Range> ranges_from(const uint8_t*& data, size_t& size) {
  std::vector<Range> ranges;
  uint64_t position = 0;
  size_t count = size > 0 ? data[0] % 16 : 0;
  if (size > 0) data++, size--;
  count = std::min(count, size / 3);
  const uint8_t* descriptions = data;
  data += 3 * count;
  size -= 3 * count;
  for (size_t i = 0; i < count; i++, descriptions += 3) {
    Range range = {};
    range.counted = descriptions[0] != 255;
    range.dtype = static_cast<Dtype>(descriptions[0] % steelyard::kDtypeCount);
    const steelyard::DtypeRow& traits = row(range.dtype);
    range.start = position + descriptions[1] % 8;
    const uint64_t left = range.start < size ? (size - range.start) / traits.block_size : 0;
    const uint64_t blocks = std::min<uint64_t>(left, descriptions[2]);
    range.end = range.start + blocks * traits.block_size;
    if ((descriptions[1] & 8) && has_rows(range.dtype))
      range.columns = uint64_t{traits.block_count} * std::max<uint64_t>(blocks, 1);
    if (range.end > size) break;
    position = range.end;
    ranges.push_back(range);
  }
  return ranges;
}

std::vector<uint64_t> run(Job& job, Io io, const steelyard::Kernel& kernel) {
  job.io = io;
  job.kernel = &kernel;
  const steelyard::Measurement result = steelyard::measure(job);
  if (result.outcome != Outcome::kDone) std::abort();
  const std::vector<double>& slots = result.record.slots();
  std::vector<uint64_t> bits(slots.size());
  std::memcpy(bits.data(), slots.data(), slots.size() * sizeof(uint64_t));
  return bits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Job job = {};
  job.ranges = ranges_from(data, size);
  job.size = size;
  job.fd = memfd_create("fuzz", 0);
  if (job.fd < 0 || write(job.fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  if (steelyard::invalid(job) != nullptr) std::abort();
  const std::vector<uint64_t> expected =
      run(job, Io::kPread, steelyard::kKernels[steelyard::kKernelCount - 1]);
  if (run(job, Io::kMmap, steelyard::best_kernel()) != expected) std::abort();
  close(job.fd);
  return 0;
}
