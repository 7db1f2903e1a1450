#include "counts/values/wide.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <vector>

#include "counts/codes/entropy.h"

namespace steelyard {

void WideCounts::begin(Dtype dtype, bool small, Rows* rows) {
  small_ = small;
  dtype_ = dtype;
  values_.begin(rows);
  std::memset(planes_, 0, sizeof planes_);
  std::memset(mantissa_, 0, sizeof mantissa_);
  std::memset(trailing_zeros_, 0, sizeof trailing_zeros_);
  nans_.begin();
  elements_ = 0;
  min_signed_ = INT64_MAX;
  max_signed_ = INT64_MIN;
  min_unsigned_ = UINT64_MAX;
  max_unsigned_ = 0;
}

void WideCounts::update(const uint8_t* data, size_t size) {
  elements_ += size / row(dtype_).block_size;
  switch (dtype_) {
    case Dtype::F64:
      return update_doubles(data, size / 8);
    case Dtype::I32:
      return update_integers<int32_t, false>(data, size / 4);
    case Dtype::U32:
      return update_integers<uint32_t, false>(data, size / 4);
    case Dtype::I64:
      return update_integers<int64_t, true>(data, size / 8);
    case Dtype::U64:
      return update_integers<uint64_t, true>(data, size / 8);
    default:
      return;
  }
}

void WideCounts::update_doubles(const uint8_t* data, size_t count) {
  constexpr uint64_t kMantissa = (uint64_t{1} << 52) - 1;
  uint32_t* leading = leading_.bins(count);
  while (count > 0) {
    const size_t n = std::min(count, values_.space());
    double* values = values_.room();
    std::memcpy(values, data, n * sizeof *values);
    for (size_t i = 0; i < n; i++) {
      const uint64_t code = std::bit_cast<uint64_t>(values[i]), mantissa = code & kMantissa;
      leading[code >> 48]++;
      if (small_) leading_.reach(static_cast<uint32_t>(code >> 48));
      // The two leading bytes follow from the leading 16 bits.
      for (unsigned byte = 0; byte < 6; byte++) planes_[byte][code >> (8 * byte) & 0xff]++;
      mantissa_[mantissa >> 45]++;
      trailing_zeros_[std::countr_zero(code | (kMantissa + 1))]++;
      if (values[i] != values[i]) [[unlikely]]
        nans_.add(code);
    }
    values_.added(n);
    data += n * sizeof(double);
    count -= n;
  }
}

template <class Integer, bool kExact>
void WideCounts::update_integers(const uint8_t* data, size_t count) {
  while (count > 0) {
    const size_t n = std::min(count, values_.space());
    double* values = values_.room();
    for (size_t i = 0; i < n; i++) {
      Integer value;
      std::memcpy(&value, data + i * sizeof value, sizeof value);
      values[i] = static_cast<double>(value);
      for (unsigned byte = 0; byte < sizeof value; byte++) planes_[byte][data[i * sizeof value + byte]]++;
      if constexpr (kExact && std::is_signed_v<Integer>) {
        min_signed_ = std::min(min_signed_, value);
        max_signed_ = std::max(max_signed_, value);
      } else if constexpr (kExact) {
        min_unsigned_ = std::min(min_unsigned_, value);
        max_unsigned_ = std::max(max_unsigned_, value);
      }
    }
    values_.added(n);
    data += n * sizeof(Integer);
    count -= n;
  }
}

void WideCounts::finish(Stats& stats) {
  values_.finish(stats);
  const unsigned width = row(dtype_).block_size;
  if (dtype_ == Dtype::F64) finish_doubles(stats);
  const Entropy entropy(kernel_.codes, elements_);
  for (unsigned byte = 0; byte < width; byte++) stats.byte_entropy.push_back(entropy.of(planes_[byte], 256));
  if (stats.count == 0) return;
  if (dtype_ == Dtype::I64) {
    stats.min_bits = static_cast<uint64_t>(min_signed_);
    stats.max_bits = static_cast<uint64_t>(max_signed_);
    // The magnitude of -2^63 fits an unsigned integer only.
    auto magnitude = [](int64_t x) {
      return x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
    };
    stats.abs_max_bits = std::max(magnitude(min_signed_), magnitude(max_signed_));
  } else if (dtype_ == Dtype::U64) {
    stats.min_bits = min_unsigned_;
    stats.max_bits = stats.abs_max_bits = max_unsigned_;
  }
}

void WideCounts::finish_doubles(Stats& stats) {
  uint64_t exponents[2048] = {};
  const CodeCounts codes = leading_.take(CodeHistogram::kCodes);
  for (size_t i = 0; i < codes.size; i++) {
    const uint32_t code = codes.codes[i];
    const uint64_t count = codes.counts[i];
    planes_[6][code & 0xff] += count;
    planes_[7][code >> 8] += count;
    exponents[code >> 4 & 0x7ff] += count;
  }
  const Entropy entropy(kernel_.codes, elements_);
  stats.code_entropy = entropy.of(codes.counts, codes.size);
  stats.exponent_entropy = entropy.of(exponents, 2048);
  stats.mantissa_entropy = entropy.of(mantissa_, 128);
  stats.trailing_zeros.assign(trailing_zeros_, trailing_zeros_ + 53);
  stats.distinct_nan = nans_.count();
  stats.subnormal = exponents[0] - stats.zero;
}

}  // namespace steelyard
