// How codes of at most 16 bits become values (IEEE 754, OCP OFP8, OCP MX). In a header, so that loops over
// the codes of one known format are compiled for it.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

#include "record/dtype.h"

namespace steelyard {

// How the codes of a format become values.
struct CodeFormat {
  enum class Kind : uint8_t { kFloat, kSigned, kUnsigned };
  enum class Specials : uint8_t {
    kNone,         // every code is a number (F4)
    kIeee,         // exponent all ones: Inf, NaN
    kNanAllOnes,   // one NaN per sign, exponent and mantissa all ones; no Inf (OCP OFP8 E4M3, MX E8M0)
    kNanNegative,  // one NaN, the code of negative zero; no Inf (FNUZ)
  };
  Kind kind;
  uint8_t bits;
  bool has_sign = false;
  uint8_t exponent_bits = 0, mantissa_bits = 0;
  int bias = 0;
  Specials specials = Specials::kNone;

  size_t codes() const { return size_t{1} << bits; }
  unsigned exponent(unsigned code) const { return (code >> mantissa_bits) & ((1u << exponent_bits) - 1); }
  unsigned mantissa(unsigned code) const { return code & ((1u << mantissa_bits) - 1); }
  bool negative(unsigned code) const { return has_sign && (code >> (bits - 1)) != 0; }
  bool nan(unsigned code) const {
    const unsigned exponent_ones = (1u << exponent_bits) - 1, mantissa_ones = (1u << mantissa_bits) - 1;
    switch (specials) {
      case Specials::kNone:
        return false;
      case Specials::kIeee:
        return exponent(code) == exponent_ones && mantissa(code) != 0;
      case Specials::kNanAllOnes:
        return exponent(code) == exponent_ones && mantissa(code) == mantissa_ones;
      case Specials::kNanNegative:
        return code == 1u << (bits - 1);
    }
    return false;
  }
  bool inf(unsigned code) const {
    return specials == Specials::kIeee && exponent(code) == (1u << exponent_bits) - 1 && mantissa(code) == 0;
  }
  bool subnormal(unsigned code) const {
    return kind == Kind::kFloat && mantissa(code) != 0 && exponent(code) == 0;
  }
  // Neither zero nor subnormal nor special, as most codes are.
  bool ordinary(unsigned code) const {
    const unsigned field = exponent(code);
    return specials == Specials::kIeee && field != 0 && field != (1u << exponent_bits) - 1;
  }
  double ordinary_value(unsigned code) const {
    const uint64_t field = (uint64_t{exponent(code)} << mantissa_bits) | mantissa(code);
    const uint64_t magnitude = (field << (52 - mantissa_bits)) + (static_cast<uint64_t>(1023 - bias) << 52);
    return std::bit_cast<double>(uint64_t{negative(code)} << 63 | magnitude);
  }
  // NaN and Inf come back as such.
  double value(unsigned code) const;
};

constexpr CodeFormat floating(int exponent_bits, int mantissa_bits, int bias, CodeFormat::Specials specials) {
  return {CodeFormat::Kind::kFloat,
          static_cast<uint8_t>(1 + exponent_bits + mantissa_bits),
          true,
          static_cast<uint8_t>(exponent_bits),
          static_cast<uint8_t>(mantissa_bits),
          bias,
          specials};
}
inline constexpr CodeFormat kF16Codes = floating(5, 10, 15, CodeFormat::Specials::kIeee);
inline constexpr CodeFormat kBf16Codes = floating(8, 7, 127, CodeFormat::Specials::kIeee);
// OCP MX E8M0; and E4M3 whose top bit is unused.
inline constexpr CodeFormat kE8m0Codes = {CodeFormat::Kind::kFloat,         8, false, 8, 0, 127,
                                          CodeFormat::Specials::kNanAllOnes};
inline constexpr CodeFormat kUe4m3Codes = {CodeFormat::Kind::kFloat,         8, false, 4, 3, 7,
                                           CodeFormat::Specials::kNanAllOnes};

// nullptr for dtypes that are not counted by code.
const CodeFormat* code_format(Dtype dtype);

}  // namespace steelyard
