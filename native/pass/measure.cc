// The pass, and the second look at what TypeScript hands over.
#include "pass/measure.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "bytes/crash.h"
#include "counts/counts.h"
#include "digest/sha256.h"

namespace steelyard {
namespace {

// The digests of the file and of the range at hand, and the range's counts, fed with the same bytes.
class RangePass {
 public:
  RangePass(const Job& job, Record& record)
      : kernel_(*job.kernel),
        part_(job.part),
        ranges_(job.ranges),
        record_(record),
        file_(kernel_.sha256),
        digest_(kernel_.sha256),
        counts_(kernel_) {}

  void update(const uint8_t* data, uint64_t start, uint64_t end) {
    uint64_t position = start;
    const auto at = [&](uint64_t where) { return data + (where - start); };
    for (; index_ < ranges_.size() && ranges_[index_].start < end; index_++) {
      const Range& range = ranges_[index_];
      const uint64_t from = std::max(start, range.start), to = std::min(end, range.end);
      hash_file(at(position), static_cast<size_t>(from - position));
      if (from == range.start) begin(range);
      add(range, at(from), static_cast<size_t>(to - from));
      position = to;
      if (range.end > end) return;
      finish(range);
    }
    hash_file(at(position), static_cast<size_t>(end - position));
  }

  // Ranges without bytes at the end of the file, and the file's digest.
  void finish(uint8_t digest[32]) {
    for (; index_ < ranges_.size(); index_++) {
      begin(ranges_[index_]);
      finish(ranges_[index_]);
    }
    file_.finish(digest);
    if (part_ == Part::kRanges) std::memset(digest, 0, 32);
  }

 private:
  void hash_file(const uint8_t* data, size_t size) {
    if (part_ != Part::kRanges) file_.update(data, size);
  }

  void begin(const Range& range) {
    if (range.counted) counts_.begin(range.dtype, range.end - range.start, range.rows, range.forensics);
  }

  void add(const Range& range, const uint8_t* data, size_t size) {
    Tally tally = range.counted ? counts_.offer(data, size) : Tally{};
    hash(data, size, tally);
    if (!range.counted) return;
    count(tally);
    counts_.update();
  }

  // Both digests begin their blocks where they last ended them; what lies before and after the blocks that
  // both have in these bytes they take one by one.
  void hash(const uint8_t* data, size_t size, Tally& tally) {
    Sha256* digests[2] = {&digest_, &file_};
    const size_t count = part_ == Part::kRanges ? 1 : 2;
    Stream streams[2];
    size_t skipped = 0;
    for (size_t i = 0; i < count; i++) {
      const size_t begun = digests[i]->align(data, size);
      streams[i] = {digests[i]->state(), data + begun};
      skipped = std::max(skipped, begun);
    }
    const size_t blocks = (size - skipped) / 64;
    for (size_t done = 0; done < blocks;) {
      const size_t steps = std::min(blocks - done, tally.steps());
      const size_t taken = steps > 0 ? steps : blocks - done;
      kernel_.weave(streams, count, taken, steps > 0 ? tally : Tally{});
      tally.advance(steps);
      for (size_t i = 0; i < count; i++) streams[i].data += 64 * taken;
      done += taken;
    }
    for (size_t i = 0; i < count; i++) {
      digests[i]->folded(blocks);
      digests[i]->update(streams[i].data, static_cast<size_t>(data + size - streams[i].data));
    }
  }

  void finish(const Range& range) {
    uint8_t digest[32];
    digest_.finish(digest);
    record_.put_digest(digest);
    if (range.counted) counts_.finish(record_);
  }

  const Kernel& kernel_;
  const Part part_;
  const std::vector<Range>& ranges_;
  Record& record_;
  Sha256 file_, digest_;
  Counts counts_;
  size_t index_ = 0;
};

const char* invalid(const RowPlan& rows, const DtypeRow& traits, uint64_t blocks) {
  if (!rows.norms && !rows.sketch) return nullptr;
  if (rows.columns == 0 || rows.columns % traits.block_count != 0)
    return "a row is not a whole number of blocks";
  const uint64_t blocks_per_row = rows.columns / traits.block_count;
  if (blocks % blocks_per_row != 0) return "a row is cut";
  if (rows.sketch && (rows.columns < kSketchMinWidth || rows.columns > kSketchMaxWidth ||
                      blocks / blocks_per_row > kSketchMaxHeight))
    return "a matrix of this size has no sketch";
  return nullptr;
}

}  // namespace

const char* invalid(const Job& job) {
  if (job.ring != nullptr && (job.ring_size == 0 || job.available == nullptr || job.progress == nullptr))
    return "a ring that nobody fills";
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
    if (const char* problem = invalid(range.rows, traits, blocks)) return problem;
    if ((range.rows.norms || range.rows.sketch) && !has_rows(range.dtype))
      return "this dtype has no row statistics";
  }
  return nullptr;
}

namespace {

// Waits until the file has its first `end` bytes. False: it will not have them, or the job is to stop.
// Nothing can wake this thread from JavaScript, so it looks again every 2 ms.
bool arrived(const Job& job, uint64_t end) {
  constexpr timespec kPause = {0, 2'000'000};
  if (job.available == nullptr) return true;
  for (;;) {
    const int64_t available = job.available->load(std::memory_order_acquire);
    if (available < 0) return false;
    if (static_cast<uint64_t>(available) >= end) return true;
    if (job.abort != nullptr && job.abort->load(std::memory_order_relaxed) != 0) return false;
    nanosleep(&kPause, nullptr);
  }
}

// The bytes that come are the ring's, and their place is free again as soon as they are told as done.
Outcome measure_ring(const Job& job, RangePass& pass) {
  for (uint64_t done = 0; done < job.size;) {
    const uint64_t place = done % job.ring_size;
    const uint64_t size =
        std::min({job.size - done, job.ring_size - place, static_cast<uint64_t>(Window::kChunkSize)});
    if (job.abort != nullptr && job.abort->load(std::memory_order_relaxed) != 0) return Outcome::kAborted;
    if (!arrived(job, done + size)) return Outcome::kAborted;
    pass.update(job.ring + place, done, done + size);
    done += size;
    job.progress->fetch_add(static_cast<int64_t>(size), std::memory_order_release);
  }
  return Outcome::kDone;
}

}  // namespace

Measurement measure(const Job& job) {
#ifdef STEELYARD_CRASH_POINTS
  crash_if_asked(job.size);
#endif
  Measurement result;
  auto failed = [&](Outcome outcome, const Window& window) {
    result.outcome = outcome;
    result.offset = window.start();
    result.error = window.error();
    result.record = {};
    return result;
  };
  auto outcome_of = [](ReadStatus status) {
    return status == ReadStatus::kTruncated ? Outcome::kTruncated : Outcome::kFailed;
  };

  Window window(job.fd, job.size, job.io);
  uint8_t digest[32] = {};
  result.record.put_digest(digest);  // the file's, which is known last
  RangePass pass(job, result.record);
  if (job.ring != nullptr && measure_ring(job, pass) != Outcome::kDone)
    return failed(Outcome::kAborted, window);
  for (uint64_t done = 0; job.ring == nullptr;) {
    if (job.abort != nullptr && job.abort->load(std::memory_order_relaxed) != 0) {
      return failed(Outcome::kAborted, window);
    }
    // The chunk that comes, and no byte beyond it, is touched.
    if (!arrived(job, std::min(job.size, done + Window::kChunkSize)))
      return failed(Outcome::kAborted, window);
    if (ReadStatus status = window.next(); status != ReadStatus::kOk)
      return failed(outcome_of(status), window);
    if (window.size() == 0) break;
    done += window.size();
    pass.update(window.data(), window.start(), window.start() + window.size());
    if (ReadStatus status = window.check(); status != ReadStatus::kOk)
      return failed(outcome_of(status), window);
    if (job.progress != nullptr)
      job.progress->fetch_add(static_cast<int64_t>(window.size()), std::memory_order_relaxed);
  }
  pass.finish(digest);
  result.record.replace_first_digest(digest);
  return result;
}

}  // namespace steelyard
