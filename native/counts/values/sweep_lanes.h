// The loops behind sweep.h, to be inlined into one function per instruction set.
#pragma once
#include <bit>
#include <limits>
#include <type_traits>

#include "counts/moments/lanes.h"
#include "counts/values/sweep.h"

namespace steelyard {

// Calls f(part, values, mask) for each part of every eight values. Where all are finite there is no mask,
// except for the last ones: these are filled up with NaN.
template <size_t kRegister, class Element, bool kAllFinite, class F>
STEELYARD_LANES void each_part(const uint8_t* data, size_t count, F f) {
  using V = Vectors<kRegister>;
  constexpr bool kFloat = std::is_same_v<Element, float>;
  using Values = std::conditional_t<kFloat, typename V::Floats, typename V::Doubles>;
  using Mask = std::conditional_t<kFloat, typename V::Ints, typename V::Longs>;
  Values x;
  Mask finite = {};
  const size_t whole = count - count % kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
#pragma GCC unroll 4
    for (size_t part = 0; part < V::kParts; part++) {
      load(x, data + (i + part * V::kWidth) * sizeof(Element));
      if constexpr (!kAllFinite) finite = x - x == 0;
      f(part, x, std::bool_constant<kAllFinite>{}, finite);
    }
  }
  if (whole == count) return;
  Element last[kLanes];
  for (Element& element : last) element = std::numeric_limits<Element>::quiet_NaN();
  std::memcpy(last, data + whole * sizeof(Element), (count - whole) * sizeof(Element));
#pragma GCC unroll 4
  for (size_t part = 0; part < V::kParts; part++) {
    load(x, last + part * V::kWidth);
    finite = x - x == 0;
    f(part, x, std::false_type{}, finite);
  }
}

template <size_t kRegister, class Element, bool kAllFinite>
STEELYARD_LANES void sweep_block(const uint8_t* data, size_t count, size_t finite, BlockSums& out) {
  using V = Vectors<kRegister>;
  using Doubles = typename V::Doubles;
  using Longs = typename V::Longs;
  Doubles min[V::kParts], max[V::kParts];
  Doubles sum[V::kParts] = {}, magnitudes[V::kParts] = {}, squares[V::kParts] = {};
  for (size_t part = 0; part < V::kParts; part++) {
    min[part] = Doubles{} + HUGE_VAL;
    max[part] = Doubles{} - HUGE_VAL;
  }
  each_part<kRegister, Element, kAllFinite>(
      data,
      count, [&](size_t part, const auto& values, auto all, const auto& mask) __attribute__((always_inline)) {
        Doubles x = __builtin_convertvector(values, Doubles);
        Longs below = x<min[part], above = x> max[part];
        if constexpr (!all) {
          const Longs finite = __builtin_convertvector(mask, Longs);
          x = (Doubles)((Longs)x & finite);  // adding a zero changes no sum
          below &= finite;
          above &= finite;
        }
        min[part] = below ? x : min[part];
        max[part] = above ? x : max[part];
        sum[part] += x;
        magnitudes[part] += (Doubles)((Longs)x & INT64_MAX);
        squares[part] += x * x;
      });
  double low[kLanes], high[kLanes];
  std::memcpy(low, min, sizeof low);
  std::memcpy(high, max, sizeof high);
  for (size_t lane = 0; lane < kLanes; lane++) {
    if (low[lane] < out.min) out.min = low[lane];
    if (high[lane] > out.max) out.max = high[lane];
  }
  out.l1 = sum_of(magnitudes);
  out.squares = sum_of(squares);

  const double mean = sum_of(sum) / static_cast<double>(finite);
  Doubles second[V::kParts] = {}, third[V::kParts] = {}, fourth[V::kParts] = {};
  each_part<kRegister, Element, kAllFinite>(
      data,
      count, [&](size_t part, const auto& values, auto all, const auto& mask) __attribute__((always_inline)) {
        Doubles d = __builtin_convertvector(values, Doubles) - mean;
        if constexpr (!all) d = (Doubles)((Longs)d & __builtin_convertvector(mask, Longs));
        const Doubles d2 = d * d;
        second[part] += d2;
        third[part] += d2 * d;
        fourth[part] += d2 * d2;
      });
  out.moments = {static_cast<double>(finite), mean, sum_of(second), sum_of(third), sum_of(fourth)};
}

template <size_t kRegister, class Element>
STEELYARD_LANES void sweep(const uint8_t* data, size_t count, size_t finite, BlockSums& out) {
  if (finite == count) {
    sweep_block<kRegister, Element, true>(data, count, finite, out);
  } else if (finite > 0) {
    sweep_block<kRegister, Element, false>(data, count, finite, out);
  }
}

template <class Mask>
STEELYARD_LANES bool any(const Mask& mask) {
  uint64_t words[sizeof mask / 8], all = 0;
  std::memcpy(words, &mask, sizeof mask);
  for (uint64_t word : words) all |= word;
  return all != 0;
}

// Special: an exponent of 0 or 255. Adding 1 to it makes 1 of 0 and 0 of 255 (the carry falls on the sign);
// no other sum has its upper seven bits clear.
template <size_t kRegister>
STEELYARD_LANES bool sweep_float_codes(const uint8_t* data, size_t count, uint64_t trailing_zeros[24]) {
  using Words = typename Vectors<kRegister>::Words;
  constexpr size_t kStep = 32, kWidth = kRegister / 4;
  bool found = false;
  const auto look = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
      uint32_t code;
      std::memcpy(&code, data + 4 * i, sizeof code);
      if ((code & 0xff) == 0) trailing_zeros[std::countr_zero(code | 1u << 23)]++;
    }
  };
  auto special = Words{} != 0;
  const size_t whole = count - count % kStep;
  for (size_t i = 0; i < whole; i += kStep) {
    auto zero = Words{} != 0;
    for (size_t k = 0; k < kStep; k += kWidth) {
      Words codes;
      load(codes, data + 4 * (i + k));
      special |= ((codes + 0x00800000u) & 0x7f000000u) == 0;
      zero |= (codes & 0xff) == 0;
    }
    if (any(zero)) look(i, i + kStep);  // one in eight of these steps where last bytes are random
  }
  look(whole, count);
  for (size_t i = whole; i < count; i++) {
    uint32_t code;
    std::memcpy(&code, data + 4 * i, sizeof code);
    found |= ((code + 0x00800000u) & 0x7f000000u) == 0;
  }
  return found || any(special);
}

}  // namespace steelyard
