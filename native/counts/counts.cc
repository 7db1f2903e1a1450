// Counting by histogram of codes, and the cutting into units that all methods share.
#include "counts/counts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

namespace steelyard {
namespace {

// Below this, a tensor has fewer elements than the histogram has bins.
constexpr uint64_t kSmall = 64 << 10;

bool is_float32(Dtype dtype) {
  return dtype == Dtype::F32 || dtype == Dtype::C64;
}

}  // namespace

void Counts::begin(Dtype dtype, uint64_t size, const RowPlan& plan, bool forensics) {
  dtype_ = dtype;
  size_ = size;
  small_ = size <= kSmall;
  partial_size_ = 0;
  const DtypeRow& traits = row(dtype);
  unit_ = traits.block_size;
  rows_.begin(plan, plan.columns / traits.block_count * traits.block_size);
  forensics_.begin(forensics, dtype);
  Rows* rows = rows_.wanted() ? &rows_ : nullptr;
  if (traits.method == Method::kCodes && !codes_) codes_.emplace(kernel_.codes);
  if (traits.method == Method::kBlocks) {
    if (!blocks_) blocks_.emplace(kernel_);
    blocks_->begin(dtype, small_, rows);
  }
  if (traits.method != Method::kWide) return;
  if (is_float32(dtype)) {
    if (!floats_) floats_.emplace(kernel_);
    floats_->begin(rows, small_);
  } else {
    if (!wide_) wide_.emplace(kernel_);
    wide_->begin(dtype, small_, rows);
  }
}

Tally Counts::offer(const uint8_t* data, size_t size) {
  if (rows_.wanted()) rows_.update(data, size);
  units_size_ = 0;
  if (partial_size_ > 0) {
    const size_t taken = std::min(size, unit_ - partial_size_);
    std::memcpy(partial_ + partial_size_, data, taken);
    partial_size_ += taken;
    data += taken;
    size -= taken;
    if (partial_size_ < unit_) return {};
    count(offer_units(partial_, unit_));
    update_units(partial_, unit_);
  }
  partial_size_ = size % unit_;
  units_ = data;
  units_size_ = size - partial_size_;
  if (partial_size_ > 0) std::memcpy(partial_, data + units_size_, partial_size_);
  return units_size_ > 0 ? offer_units(units_, units_size_) : Tally{};
}

void Counts::update() {
  if (units_size_ > 0) update_units(units_, units_size_);
}

Tally Counts::offer_units(const uint8_t* data, size_t size) {
  switch (row(dtype_).method) {
    case Method::kBytes:
      return {.count = Count::kBytes, .size = size, .bytes = data, .bins = bytes_.bins(size)};
    case Method::kWide:
      return is_float32(dtype_) ? floats_->offer(data, size) : Tally{};
    case Method::kBlocks:
      return blocks_->offer(data, size, bytes_);
    case Method::kCodes:
      if (code_format(dtype_)->bits < 16)
        return {.count = Count::kBytes, .size = size, .bytes = data, .bins = codes_->bins(size)};
      if (small_) codes_->reach(data, size, 0x7fff7fff);
      return {.count = Count::kCodes, .size = size, .bytes = data, .bins = codes_->bins(size / 2)};
  }
  return {};
}

void Counts::update_units(const uint8_t* data, size_t size) {
  const Method method = row(dtype_).method;
  if (forensics_.wanted()) forensics_.update(data, size);
  if (method == Method::kWide) is_float32(dtype_) ? floats_->update(data, size) : wide_->update(data, size);
  if (method == Method::kCodes && rows_.wanted()) add_code_rows(data, size);
}

void Counts::finish(Record& record) {
  Stats stats;
  const DtypeRow& traits = row(dtype_);
  stats.count = size_ / traits.block_size * traits.block_count;
  switch (traits.method) {
    case Method::kBytes: {
      uint64_t bytes[256];
      bytes_.take(bytes);
      stats.byte_entropy = {Entropy(kernel_.codes, size_).of(bytes, 256)};
      break;
    }
    case Method::kCodes:
      finish_codes(stats);
      break;
    case Method::kWide:
      is_float32(dtype_) ? floats_->finish(stats) : wide_->finish(stats);
      break;
    case Method::kBlocks:
      blocks_->finish(stats, bytes_);
      break;
  }
  stats.write(record);
  rows_.write(record);
  if (forensics_.wanted() && dtype_ == Dtype::F32) forensics_.take_nans(floats_->nans(), 23);
  if (forensics_.wanted() && dtype_ == Dtype::F64) forensics_.take_nans(wide_->nans(), 52);
  forensics_.write(record);
}

void Counts::add_code_rows(const uint8_t* data, size_t size) {
  const CodeFormat& format = *code_format(dtype_);
  if (decoded_ != dtype_ || values_.empty()) {
    values_.resize(format.codes());
    for (unsigned code = 0; code < values_.size(); code++) values_[code] = format.value(code);
    decoded_ = dtype_;
  }
  double values[1024];
  size_t count = 0;
  for (size_t i = 0; i < size; i += unit_) {
    if (format.bits == 4) {
      values[count++] = values_[data[i] & 15];
      values[count++] = values_[data[i] >> 4];
    } else {
      values[count++] = values_[format.bits == 8 ? data[i] : data[i] | unsigned{data[i + 1]} << 8];
    }
    if (count < std::size(values)) continue;
    rows_.add(values, count);
    count = 0;
  }
  rows_.add(values, count);
}

void Counts::finish_codes(Stats& stats) {
  const CodeFormat& format = *code_format(dtype_);
  if (format.bits < 16) codes_->fold_bytes();
  if (format.bits == 4) {
    uint64_t bytes[256];
    for (size_t byte = 0; byte < 256; byte++) bytes[byte] = codes_->at(byte);
    stats.byte_entropy = {Entropy(kernel_.codes, size_).of(bytes, 256)};
    codes_->unpack_nibbles();
  }
  const CodeCounts codes = codes_->take(format.codes());
  if (forensics_.wanted()) forensics_.take_codes(format, codes);
  const CodeSummary all = summarize(kernel_.codes, format, codes);
  stats.has_values = true;
  stats.zero = all.zero;
  stats.negative_zero = all.negative_zero;
  stats.nan = all.nan;
  stats.pos_inf = all.pos_inf;
  stats.neg_inf = all.neg_inf;
  stats.subnormal = all.subnormal;
  stats.distinct_nan = all.distinct_nan;
  if (all.sums.moments.n > 0) {
    stats.min_bits = std::bit_cast<uint64_t>(all.min);
    stats.max_bits = std::bit_cast<uint64_t>(all.max);
    stats.abs_max_bits = std::bit_cast<uint64_t>(std::max(std::fabs(all.min), std::fabs(all.max)));
    stats.l1 = all.sums.l1;
    stats.l2 = std::sqrt(all.sums.squares);
    write_moments(all.sums.moments, stats);
  }

  const Entropy entropy(kernel_.codes, all.count);
  stats.code_entropy = entropy.of(codes.counts, codes.size);
  const CodeFields fields = count_fields(format, codes, magnitudes_);
  magnitudes_.finish(stats.negative, stats.positive);
  if (format.kind == CodeFormat::Kind::kFloat) stats.exponent_entropy = entropy.of(fields.exponents, 256);
  if (format.mantissa_bits > 0) {
    stats.mantissa_entropy = entropy.of(fields.mantissas, 128);
    stats.trailing_zeros.assign(fields.trailing_zeros, fields.trailing_zeros + format.mantissa_bits + 1);
  }
  if (format.bits == 16) {
    stats.byte_entropy = {entropy.of(fields.low, 256), entropy.of(fields.high, 256)};
  } else if (format.bits == 8) {
    stats.byte_entropy = {stats.code_entropy};
  }
}

}  // namespace steelyard
