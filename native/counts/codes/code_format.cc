// The formats, and the values of codes that are not ordinary.
#include "counts/codes/code_format.h"

#include <cmath>

#include "record/stats.h"

namespace steelyard {
namespace {

using Kind = CodeFormat::Kind;
using Specials = CodeFormat::Specials;

constexpr CodeFormat kBool = {Kind::kUnsigned, 8}, kU8 = {Kind::kUnsigned, 8}, kU16 = {Kind::kUnsigned, 16};
constexpr CodeFormat kI8 = {Kind::kSigned, 8, true}, kI16 = {Kind::kSigned, 16, true};
constexpr CodeFormat kF4 = floating(2, 1, 1, Specials::kNone);            // OCP MX E2M1
constexpr CodeFormat kF8E5m2 = floating(5, 2, 15, Specials::kIeee);       // OCP OFP8 E5M2
constexpr CodeFormat kF8E4m3 = floating(4, 3, 7, Specials::kNanAllOnes);  // OCP OFP8 E4M3
constexpr CodeFormat kF8E4m3fnuz = floating(4, 3, 8, Specials::kNanNegative);
constexpr CodeFormat kF8E5m2fnuz = floating(5, 2, 16, Specials::kNanNegative);

// Within the range of normal doubles, which all exponents here are.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

}  // namespace

const CodeFormat* code_format(Dtype dtype) {
  switch (dtype) {
    case Dtype::BOOL:
      return &kBool;
    case Dtype::F4:
      return &kF4;
    case Dtype::U8:
      return &kU8;
    case Dtype::I8:
      return &kI8;
    case Dtype::F8_E5M2:
      return &kF8E5m2;
    case Dtype::F8_E4M3:
      return &kF8E4m3;
    case Dtype::F8_E8M0:
      return &kE8m0Codes;
    case Dtype::F8_E4M3FNUZ:
      return &kF8E4m3fnuz;
    case Dtype::F8_E5M2FNUZ:
      return &kF8E5m2fnuz;
    case Dtype::I16:
      return &kI16;
    case Dtype::U16:
      return &kU16;
    case Dtype::F16:
      return &kF16Codes;
    case Dtype::BF16:
      return &kBf16Codes;
    default:
      return nullptr;
  }
}

double CodeFormat::value(unsigned code) const {
  if (ordinary(code)) return ordinary_value(code);
  if (kind == Kind::kUnsigned) return code;
  if (kind == Kind::kSigned)
    return static_cast<double>(code) - (negative(code) ? static_cast<double>(codes()) : 0);
  if (nan(code)) return kNone;
  double magnitude;
  if (inf(code)) {
    magnitude = HUGE_VAL;
  } else if (exponent(code) == 0 && mantissa_bits > 0) {
    magnitude = static_cast<double>(mantissa(code)) * power_of_two(1 - bias - mantissa_bits);
  } else {
    magnitude = static_cast<double>(mantissa(code) + (1u << mantissa_bits)) *
                power_of_two(static_cast<int>(exponent(code)) - bias - mantissa_bits);
  }
  return negative(code) ? -magnitude : magnitude;
}

}  // namespace steelyard
