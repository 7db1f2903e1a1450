#include "difference/pair_reader.h"

#include <algorithm>
#include <cstring>

#include "difference/elements.h"

namespace steelyard {
namespace {

RangeReader reader_of(const Place& place, const Pair& pair) {
  return {place.fd, place.start, place.start + size_of(place.dtype, pair.count), pair.io};
}

}  // namespace

const char* invalid(const Pair& pair) {
  for (const Place& place : pair.sides) {
    if (!has_rows(place.dtype)) return "this dtype is not decoded";
    const DtypeRow& traits = row(place.dtype);
    if (pair.count % traits.block_count != 0) return "not a whole number of blocks";
    const uint64_t blocks = pair.count / traits.block_count;
    if (place.start > place.size || blocks > (place.size - place.start) / traits.block_size)
      return "a tensor is outside the file";
  }
  if (pair.columns > 0 && pair.count % pair.columns != 0) return "a row is cut";
  return nullptr;
}

const uint8_t* RangeReader::take(size_t size) {
  if (used_ == window_.size() && !advance()) return nullptr;
  if (window_.size() - used_ >= size) {
    used_ += size;
    return window_.data() + (used_ - size);
  }
  joined_.resize(size);
  for (size_t done = 0; done < size;) {
    if (used_ == window_.size() && !advance()) return nullptr;
    const size_t taken = std::min(size - done, window_.size() - used_);
    std::memcpy(joined_.data() + done, window_.data() + used_, taken);
    done += taken;
    used_ += taken;
  }
  return joined_.data();
}

bool RangeReader::check() {
  if (status_ == ReadStatus::kOk) status_ = window_.check();
  return status_ == ReadStatus::kOk;
}

bool RangeReader::advance() {
  if (!check()) return false;
  status_ = window_.next();
  used_ = 0;
  return status_ == ReadStatus::kOk;
}

PairReader::PairReader(const Pair& pair)
    : pair_(pair), readers_{reader_of(pair.sides[0], pair), reader_of(pair.sides[1], pair)} {}

bool PairReader::next() {
  first_ += count_;
  count_ = static_cast<size_t>(std::min<uint64_t>(kPiece, pair_.count - first_));
  if (count_ == 0) {
    for (unsigned side = 0; side < 2; side++) {
      if (!readers_[side].check()) return fail(side);
    }
    return false;
  }
  if (pair_.abort != nullptr && pair_.abort->load(std::memory_order_relaxed) != 0) {
    outcome_ = Outcome::kAborted;
    return false;
  }
  size_t sizes[2];
  for (unsigned side = 0; side < 2; side++) {
    sizes[side] = size_of(pair_.sides[side].dtype, count_);
    bytes_[side] = readers_[side].take(sizes[side]);
    if (bytes_[side] == nullptr) return fail(side);
  }
  same_ = pair_.sides[0].dtype == pair_.sides[1].dtype && std::memcmp(bytes_[0], bytes_[1], sizes[0]) == 0;
  if (pair_.progress != nullptr)
    pair_.progress->fetch_add(static_cast<int64_t>(sizes[0] + sizes[1]), std::memory_order_relaxed);
  return true;
}

bool PairReader::fail(unsigned side) {
  failed_side_ = side;
  outcome_ = readers_[side].status() == ReadStatus::kTruncated ? Outcome::kTruncated : Outcome::kFailed;
  return false;
}

}  // namespace steelyard
