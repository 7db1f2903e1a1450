// 32- and 64-bit dtypes: integer counts from the codes, everything else from the values.
#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "counts.h"

namespace steelyard {
namespace {

// Widths of a float's fields (IEEE 754 binary32, binary64).
template <class Word>
struct Fields;
template <>
struct Fields<uint32_t> {
  using Float = float;
  static constexpr unsigned kBits = 32, kMantissa = 23, kExponent = 8;
};
template <>
struct Fields<uint64_t> {
  using Float = double;
  static constexpr unsigned kBits = 64, kMantissa = 52, kExponent = 11;
};

}  // namespace

void WideCounts::begin(Dtype dtype, Rows* rows) {
  dtype_ = dtype;
  values_.begin(rows);
  std::memset(planes_, 0, sizeof planes_);
  std::memset(mantissa_, 0, sizeof mantissa_);
  std::memset(trailing_zeros_, 0, sizeof trailing_zeros_);
  nans_.clear();
  min_signed_ = INT64_MAX;
  max_signed_ = INT64_MIN;
  min_unsigned_ = UINT64_MAX;
  max_unsigned_ = 0;
}

void WideCounts::update(const uint8_t* data, size_t size) {
  switch (dtype_) {
    case Dtype::F32:
    case Dtype::C64:
      return update_floats<uint32_t>(data, size / 4);
    case Dtype::F64:
      return update_floats<uint64_t>(data, size / 8);
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

template <class Word>
void WideCounts::update_floats(const uint8_t* data, size_t count) {
  using F = Fields<Word>;
  constexpr Word kMantissaMask = (Word{1} << F::kMantissa) - 1, kExponentMask = (Word{1} << F::kExponent) - 1;
  while (count > 0) {
    const size_t n = std::min(count, values_.space());
    double* values = values_.room();
    for (size_t i = 0; i < n; i++) {
      Word code;
      std::memcpy(&code, data + i * sizeof code, sizeof code);
      values[i] = std::bit_cast<typename F::Float>(code);
      const Word mantissa = code & kMantissaMask;
      leading_[code >> (F::kBits - 16)]++;
      // The two leading bytes follow from the leading 16 bits.
      for (unsigned byte = 0; byte < sizeof code - 2; byte++) planes_[byte][(code >> (8 * byte)) & 0xff]++;
      mantissa_[mantissa >> (F::kMantissa - 7)]++;
      trailing_zeros_[std::countr_zero(mantissa | Word{1} << F::kMantissa)]++;
      if (((code >> F::kMantissa) & kExponentMask) == kExponentMask && mantissa != 0) [[unlikely]]
        count_nan(code);
    }
    values_.added(n);
    data += n * sizeof(Word);
    count -= n;
  }
}

void WideCounts::count_nan(uint64_t code) {
  auto place = std::lower_bound(nans_.begin(), nans_.end(), code);
  if ((place != nans_.end() && *place == code) || nans_.size() == kDistinctNanMax) return;
  nans_.insert(place, code);
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
  unsigned width = row(dtype_).block_size;
  if (dtype_ == Dtype::F32 || dtype_ == Dtype::C64 || dtype_ == Dtype::F64) {
    if (dtype_ == Dtype::C64) width = 4;
    for (size_t code = 0; code < leading_.size(); code++) {
      planes_[width - 2][code & 0xff] += leading_[code];
      planes_[width - 1][code >> 8] += leading_[code];
    }
    finish_floats(stats);
  }
  for (unsigned byte = 0; byte < width; byte++) stats.byte_entropy.push_back(entropy(planes_[byte], 256));
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

void WideCounts::finish_floats(Stats& stats) {
  const bool is_double = dtype_ == Dtype::F64;
  const unsigned mantissa_bits = is_double ? 52 : 23;
  const unsigned leading_mantissa_bits = is_double ? 4 : 7;  // of the leading 16 bits
  uint64_t exponents[2048] = {};
  for (size_t code = 0; code < leading_.size(); code++) {
    exponents[(code & 0x7fff) >> leading_mantissa_bits] += leading_[code];
  }
  stats.code_entropy = entropy(leading_.data(), leading_.size());
  stats.exponent_entropy = entropy(exponents, 2048);
  stats.mantissa_entropy = entropy(mantissa_, 128);
  stats.trailing_zeros.assign(trailing_zeros_, trailing_zeros_ + mantissa_bits + 1);
  stats.distinct_nan = nans_.size();
  stats.subnormal = exponents[0] - stats.zero;
  std::fill(leading_.begin(), leading_.end(), 0);
}

}  // namespace steelyard
