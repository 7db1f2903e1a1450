// Two tensors side by side: the same elements of both, a piece at a time.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "bytes/window.h"
#include "pass/measure.h"
#include "record/dtype.h"

namespace steelyard {

// Where a tensor's elements are.
struct Place {
  int fd;
  uint64_t size;   // of the file
  uint64_t start;  // of the first element
  Dtype dtype;
};

struct Pair {
  Place sides[2];    // the good one, the suspect
  uint64_t count;    // elements to compare, from the first on
  uint64_t columns;  // elements per row; 0: not a matrix
  Io io;
  // Shared with other threads; either may be null.
  const std::atomic<int64_t>* abort;  // not 0: stop
  std::atomic<int64_t>* progress;     // bytes read, of both
};

// Why a pair cannot be compared, or nullptr: a second look at what TypeScript has validated.
const char* invalid(const Pair& pair);

// A range of a file in runs of any size.
class RangeReader {
 public:
  RangeReader(int fd, uint64_t start, uint64_t end, Io io) : window_(fd, start, end, io) {}
  // The next `size` bytes, valid until the next call; nullptr: could not be read.
  const uint8_t* take(size_t size);
  // Whether all that was handed out were the file's bytes.
  bool check();

  ReadStatus status() const { return status_; }
  uint64_t position() const { return window_.start(); }
  int error() const { return window_.error(); }

 private:
  bool advance();

  Window window_;
  size_t used_ = 0;  // of the window's chunk
  ReadStatus status_ = ReadStatus::kOk;
  std::vector<uint8_t> joined_;  // a run that two chunks share
};

class PairReader {
 public:
  static constexpr size_t kPiece = 4096;  // elements; whole blocks of every dtype

  explicit PairReader(const Pair& pair);
  // Moves on; false at the end, or after a failure.
  bool next();

  // Of the piece: index of its first element, how many there are, the bytes of either side.
  uint64_t first() const { return first_; }
  size_t count() const { return count_; }
  const uint8_t* bytes(unsigned side) const { return bytes_[side]; }
  // The bytes of both are the same, and so are their values.
  bool same() const { return same_; }

  Outcome outcome() const { return outcome_; }
  // After a failure: on which side, and where.
  unsigned failed_side() const { return failed_side_; }
  uint64_t failed_at() const { return readers_[failed_side_].position(); }
  int error() const { return readers_[failed_side_].error(); }

 private:
  bool fail(unsigned side);

  const Pair& pair_;
  RangeReader readers_[2];
  uint64_t first_ = 0;
  size_t count_ = 0;
  const uint8_t* bytes_[2] = {};
  bool same_ = false;
  Outcome outcome_ = Outcome::kDone;
  unsigned failed_side_ = 0;
};

}  // namespace steelyard
