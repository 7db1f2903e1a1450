// Eight lanes, on every machine, however wide its registers are: element i belongs to lane i % 8, so the
// order of every floating-point operation is fixed. Compilers turn these types into whatever vectors the
// target has; what uses them is inlined into one caller per instruction set.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace steelyard {

inline constexpr size_t kLanes = 8;

#define STEELYARD_LANES inline __attribute__((always_inline))

// Vectors for registers of `kRegister` bytes; eight lanes are kParts of them.
template <size_t kRegister>
struct Vectors {
  static constexpr size_t kWidth = kRegister / sizeof(double), kParts = kLanes / kWidth;
  typedef double Doubles __attribute__((vector_size(kRegister)));
  typedef int64_t Longs __attribute__((vector_size(kRegister)));
  // As many floats as there are doubles.
  typedef float Floats __attribute__((vector_size(kRegister / 2)));
  typedef int32_t Ints __attribute__((vector_size(kRegister / 2)));
  typedef uint32_t Words __attribute__((vector_size(kRegister)));  // twice as many
  typedef int16_t Shorts __attribute__((vector_size(kRegister)));
};

template <class Vector>
STEELYARD_LANES void load(Vector& out, const void* from) {
  std::memcpy(&out, from, sizeof out);
}

// Of eight lanes in one fixed order.
template <class Parts>
STEELYARD_LANES double sum_of(const Parts& parts) {
  double lane[kLanes];
  static_assert(sizeof lane == sizeof parts);
  std::memcpy(lane, &parts, sizeof lane);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

// Whole numbers below 2^52 as doubles: their bits are the mantissa of 2^52 + n.
template <class Doubles, class Longs>
STEELYARD_LANES void to_doubles(Doubles& out, const Longs& whole) {
  constexpr double kTwo52 = 4503599627370496.0;
  out = (Doubles)(whole | 0x4330000000000000) - kTwo52;
}

}  // namespace steelyard
