// The pass, and the second look at what TypeScript hands over.
#include "measure.h"

#include <algorithm>

#include "counts.h"
#include "sha256.h"

namespace steelyard {
namespace {

// Feeds chunks to the ranges they cover, in order.
class RangePass {
 public:
  RangePass(const Job& job, Record& record)
      : ranges_(job.ranges), record_(record), digest_(job.kernel->sha256), counts_(job.kernel->sha256) {}

  void update(const uint8_t* data, uint64_t start, uint64_t end) {
    for (; index_ < ranges_.size() && ranges_[index_].start < end; index_++) {
      const Range& range = ranges_[index_];
      const uint64_t from = std::max(start, range.start), to = std::min(end, range.end);
      if (from == range.start) begin(range);
      const size_t size = static_cast<size_t>(to - from);
      digest_.update(data + (from - start), size);
      if (range.counted) counts_.update(data + (from - start), size);
      if (range.end > end) return;
      finish(range);
    }
  }

  // Ranges without bytes at the end of the file.
  void finish() {
    for (; index_ < ranges_.size(); index_++) {
      begin(ranges_[index_]);
      finish(ranges_[index_]);
    }
  }

 private:
  void begin(const Range& range) {
    if (range.counted) counts_.begin(range.dtype, range.end - range.start, range.columns);
  }

  void finish(const Range& range) {
    uint8_t digest[32];
    digest_.finish(digest);
    record_.put_digest(digest);
    if (range.counted) counts_.finish(record_);
  }

  const std::vector<Range>& ranges_;
  Record& record_;
  Sha256 digest_;
  Counts counts_;
  size_t index_ = 0;
};

}  // namespace

const char* invalid(const Job& job) {
  uint64_t position = 0;
  for (const Range& range : job.ranges) {
    if (range.end < range.start || range.end > job.size) return "a range is outside the file";
    if (range.start < position) return "ranges overlap or are out of order";
    position = range.end;
    if (!range.counted) continue;
    const DtypeRow& traits = row(range.dtype);
    const uint64_t blocks = (range.end - range.start) / traits.block_size;
    if (blocks * traits.block_size != range.end - range.start)
      return "a range is not a whole number of blocks";
    if (range.columns > 0 && !has_rows(range.dtype)) return "this dtype has no row statistics";
    if (range.columns % traits.block_count != 0) return "a row is not a whole number of blocks";
    if (range.columns > 0 && blocks % (range.columns / traits.block_count) != 0) return "a row is cut";
  }
  return nullptr;
}

Measurement measure(const Job& job) {
  Measurement result;
  auto failed = [&](Outcome outcome, const Window& window) {
    result.outcome = outcome;
    result.offset = window.start();
    result.error = window.error();
    return result;
  };
  auto outcome_of = [](ReadStatus status) {
    return status == ReadStatus::kTruncated ? Outcome::kTruncated : Outcome::kFailed;
  };

  Window window(job.fd, job.size, job.io);
  Sha256 file(job.kernel->sha256);
  Record ranges;
  RangePass pass(job, ranges);
  for (;;) {
    if (job.abort != nullptr && job.abort->load(std::memory_order_relaxed) != 0) {
      return failed(Outcome::kAborted, window);
    }
    if (ReadStatus status = window.next(); status != ReadStatus::kOk)
      return failed(outcome_of(status), window);
    if (window.size() == 0) break;
    file.update(window.data(), window.size());
    pass.update(window.data(), window.start(), window.start() + window.size());
    if (ReadStatus status = window.check(); status != ReadStatus::kOk)
      return failed(outcome_of(status), window);
    if (job.progress != nullptr)
      job.progress->fetch_add(static_cast<int64_t>(window.size()), std::memory_order_relaxed);
  }
  pass.finish();

  uint8_t digest[32];
  file.finish(digest);
  result.record.put_digest(digest);
  result.record.append(ranges);
  return result;
}

}  // namespace steelyard
