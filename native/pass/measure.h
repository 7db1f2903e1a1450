// One forward pass over one file: every byte is read once and feeds the file's digest, the digest of the
// range it lies in, and that range's counts.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "bytes/window.h"
#include "counts/dispatch.h"
#include "counts/rows/rows.h"
#include "record/dtype.h"
#include "record/stats.h"

namespace steelyard {

// A byte range of the file to be digested and, unless it has no dtype, counted.
struct Range {
  uint64_t start, end;  // absolute, end exclusive
  bool counted;
  Dtype dtype;
  RowPlan rows;
  bool forensics = false;
};

// What of the pass is done: without the file's digest two threads can share a file.
enum class Part : uint8_t { kAll, kRanges };

struct Job {
  int fd;
  uint64_t size;
  std::vector<Range> ranges;  // sorted, not overlapping, inside the file, whole blocks
  Io io;
  Part part = Part::kAll;
  const Kernel* kernel;
  // Shared with other threads; either may be null.
  const std::atomic<int64_t>* abort;  // not 0: stop
  std::atomic<int64_t>* progress;     // bytes done
  // A file that is still arriving: how many bytes from its beginning are there; negative: no more will come.
  const std::atomic<int64_t>* available = nullptr;
  // Where its bytes are instead of in the file: byte i of it at i modulo the size, until `progress` has
  // passed it. Only with `available` and `progress`. Null: in the file.
  const uint8_t* ring = nullptr;
  uint64_t ring_size = 0;
};

enum class Outcome : uint8_t { kDone, kAborted, kTruncated, kFailed };

struct Measurement {
  Outcome outcome = Outcome::kDone;
  uint64_t offset = 0;  // where reading failed
  int error = 0;        // errno
  Record record;        // file digest (zeros if not asked for); per range: digest, stats if counted, rows,
                        // sketch, forensics
};

// Why a job cannot be run, or nullptr: TypeScript has validated all this, and hostile structure gets no
// second chance.
const char* invalid(const Job& job);
Measurement measure(const Job& job);

}  // namespace steelyard
