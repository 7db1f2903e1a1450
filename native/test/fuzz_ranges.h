// What the fuzz targets share: any bytes under any layout.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "pass/measure.h"

namespace steelyard::fuzz {

// Dtypes of the methods that a target is for, or all: a fuzzer that must find its way into 49 dtypes at once
// finds little in each.
inline std::vector<Dtype> dtypes_of(Method method) {
  std::vector<Dtype> dtypes;
  for (size_t i = 0; i < kDtypeCount; i++)
    if (kDtypes[i].method == method) dtypes.push_back(static_cast<Dtype>(i));
  return dtypes;
}

// The first bytes of the input describe the ranges (three bytes each), the rest is the file's. `lead` bytes
// stand before the file's first described byte.
inline std::vector<Range> ranges_from(const uint8_t*& data, size_t& size, const std::vector<Dtype>& dtypes,
                                      uint64_t lead) {
  std::vector<Range> ranges;
  uint64_t position = lead;
  size_t count = size > 0 ? data[0] % 5 : 0;  // each costs a walk over 65,536 bins
  if (size > 0) data++, size--;
  count = std::min(count, size / 3);
  const uint8_t* descriptions = data;
  data += 3 * count;
  size -= 3 * count;
  for (size_t i = 0; i < count; i++, descriptions += 3) {
    Range range = {};
    range.counted = descriptions[0] != 255;
    range.dtype = dtypes[descriptions[0] % dtypes.size()];
    const DtypeRow& traits = row(range.dtype);
    range.start = position + descriptions[1] % 8;
    const uint64_t end = lead + size;
    const uint64_t left = range.start < end ? (end - range.start) / traits.block_size : 0;
    const uint64_t blocks = std::min<uint64_t>(left, descriptions[2]);
    range.end = range.start + blocks * traits.block_size;
    range.forensics = (descriptions[1] & 32) != 0;
    const uint64_t columns = uint64_t{traits.block_count} * std::max<uint64_t>(blocks, 1);
    const bool norms = (descriptions[1] & 8) != 0;
    const bool sketch = (descriptions[1] & 16) != 0 && columns >= kSketchMinWidth;
    if ((norms || sketch) && has_rows(range.dtype))
      range.rows = {.columns = columns, .norms = norms, .sketch = sketch, .seed = descriptions[2]};
    if (range.end > end) break;
    position = range.end;
    ranges.push_back(range);
  }
  return ranges;
}

// A file in memory: `lead` zeros, then these bytes.
inline int file_of(const uint8_t* data, size_t size, uint64_t lead) {
  const int fd = memfd_create("fuzz", 0);
  if (fd < 0 || pwrite(fd, data, size, static_cast<off_t>(lead)) != static_cast<ssize_t>(size)) std::abort();
  if (size == 0 && ftruncate(fd, static_cast<off_t>(lead)) != 0) std::abort();
  return fd;
}

inline const Kernel& portable() {
  return kKernels[kKernelCount - 1];
}

inline Measurement run(Job& job, Io io, const Kernel& kernel) {
  job.io = io;
  job.kernel = &kernel;
  return measure(job);
}

}  // namespace steelyard::fuzz
