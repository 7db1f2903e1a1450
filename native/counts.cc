// Counting by histogram of codes, and the cutting into units that all methods share. 32 and 64 bits: wide.cc.
#include "counts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace steelyard {

void Counts::begin(Dtype dtype, uint64_t size, uint64_t columns) {
  dtype_ = dtype;
  size_ = size;
  partial_size_ = 0;
  const DtypeRow& traits = row(dtype);
  unit_ = traits.block_size;
  rows_.begin(columns, columns / traits.block_count * traits.block_size);
  Rows* rows = rows_.wanted() ? &rows_ : nullptr;
  if (traits.method == Method::kWide) {
    if (!wide_) wide_.emplace();
    wide_->begin(dtype, rows);
  }
  if (traits.method == Method::kBlocks) {
    if (!blocks_) blocks_.emplace();
    blocks_->begin(dtype, rows);
  }
}

void Counts::update(const uint8_t* data, size_t size) {
  if (rows_.wanted()) rows_.update(data, size);
  if (partial_size_ > 0) {
    size_t taken = std::min(size, unit_ - partial_size_);
    std::memcpy(partial_ + partial_size_, data, taken);
    partial_size_ += taken;
    data += taken;
    size -= taken;
    if (partial_size_ < unit_) return;
    update_units(partial_, unit_);
  }
  size_t whole = size - size % unit_;
  if (whole > 0) update_units(data, whole);
  partial_size_ = size - whole;
  if (partial_size_ > 0) std::memcpy(partial_, data + whole, partial_size_);
}

void Counts::update_units(const uint8_t* data, size_t size) {
  switch (row(dtype_).method) {
    case Method::kBytes:
      return bytes_.update(data, size);
    case Method::kWide:
      return wide_->update(data, size);
    case Method::kBlocks:
      bytes_.update(data, size);
      return blocks_->update(data, size);
    case Method::kCodes:
      if (rows_.wanted()) add_code_rows(data, size);
      if (dtype_ == Dtype::F4) bytes_.update(data, size);
      return codes_.update(data, size, code_format(dtype_)->bits);
  }
}

void Counts::finish(Record& record) {
  Stats stats;
  const DtypeRow& traits = row(dtype_);
  stats.count = size_ / traits.block_size * traits.block_count;
  switch (traits.method) {
    case Method::kBytes:
      stats.byte_entropy = {bytes_.finish()};
      break;
    case Method::kCodes:
      finish_codes(stats);
      break;
    case Method::kWide:
      wide_->finish(stats);
      break;
    case Method::kBlocks:
      blocks_->finish(stats);
      stats.byte_entropy = {bytes_.finish()};
      break;
  }
  stats.write(record);
  rows_.write(record);
}

void Counts::add_code_rows(const uint8_t* data, size_t size) {
  const CodeFormat& format = *code_format(dtype_);
  for (size_t i = 0; i < size; i += unit_) {
    if (format.bits == 4) {
      const double pair[2] = {format.value(data[i] & 15), format.value(data[i] >> 4)};
      rows_.add(pair, 2);
    } else {
      const double value = format.value(format.bits == 8 ? data[i] : data[i] | unsigned{data[i + 1]} << 8);
      rows_.add(&value, 1);
    }
  }
}

void Counts::finish_codes(Stats& stats) {
  const CodeFormat& format = *code_format(dtype_);
  const std::vector<CodeCount> codes = codes_.take(format.codes());
  const CodeSummary all = summarize(format, codes);
  stats.has_values = true;
  stats.zero = all.zero;
  stats.negative_zero = all.negative_zero;
  stats.nan = all.nan;
  stats.pos_inf = all.pos_inf;
  stats.neg_inf = all.neg_inf;
  stats.subnormal = all.subnormal;
  stats.distinct_nan = all.distinct_nan;
  if (all.moments.n > 0) {
    stats.min_bits = std::bit_cast<uint64_t>(all.min);
    stats.max_bits = std::bit_cast<uint64_t>(all.max);
    stats.abs_max_bits = std::bit_cast<uint64_t>(std::max(std::fabs(all.min), std::fabs(all.max)));
    stats.l1 = all.l1;
    stats.l2 = std::sqrt(all.squares);
    write_moments(all.moments, stats);
  }

  stats.code_entropy = code_entropy(codes);
  uint64_t exponents[256] = {}, mantissas[128] = {}, low[256] = {}, high[256] = {};
  const unsigned mantissa_shift = std::max<int>(format.mantissa_bits - 7, 0);
  if (format.mantissa_bits > 0) stats.trailing_zeros.resize(format.mantissa_bits + size_t{1});
  for (auto [code, count] : codes) {
    low[code & 0xff] += count;
    high[code >> 8] += count;
    const double x = format.value(code);
    if (x - x == 0 && x != 0) magnitudes_.add(x, count);
    if (format.kind != CodeFormat::Kind::kFloat) continue;
    exponents[format.exponent(code)] += count;
    if (format.mantissa_bits == 0) continue;
    mantissas[format.mantissa(code) >> mantissa_shift] += count;
    stats.trailing_zeros[static_cast<size_t>(
        std::countr_zero(format.mantissa(code) | 1u << format.mantissa_bits))] += count;
  }
  magnitudes_.finish(stats.negative, stats.positive);
  if (format.kind == CodeFormat::Kind::kFloat) stats.exponent_entropy = entropy(exponents, 256);
  if (format.mantissa_bits > 0) stats.mantissa_entropy = entropy(mantissas, 128);
  if (format.bits == 16) {
    stats.byte_entropy = {entropy(low, 256), entropy(high, 256)};
  } else if (format.bits == 8) {
    stats.byte_entropy = {stats.code_entropy};
  } else {
    stats.byte_entropy = {bytes_.finish()};
  }
}

}  // namespace steelyard
