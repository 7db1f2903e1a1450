// One ggml block as integers: every type that is decoded stands for scale * level - min in each of its
// sub-blocks, with a small integer level per element. Layouts: struct block_* in ggml-common.h and
// dequantize_row_* in ggml-quants.c (ggml, MIT); MXFP4: OCP Microscaling Formats 1.0.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#include "dtype.h"
#include "lanes.h"

// Compiled once per instruction set; see blocks_lanes.h.
namespace steelyard {
namespace {

constexpr size_t kBlock = 32, kSuperBlock = 256;

struct Decoded {
  uint8_t codes[kSuperBlock];  // as stored
  int8_t levels[kSuperBlock];
  double scales[16], mins[16];
};

STEELYARD_LANES uint16_t load16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] | p[1] << 8);
}

// IEEE 754 binary16; exact.
STEELYARD_LANES double f16(const uint8_t* p) {
  const uint64_t code = load16(p), sign = code >> 15 << 63, magnitude = code & 0x7fff;
  double value = static_cast<double>(magnitude) * 0x1p-24;  // subnormal
  if (magnitude >= 0x400) value = std::bit_cast<double>((magnitude << 42) + (uint64_t{1023 - 15} << 52));
  if (magnitude >= 0x7c00) value = std::bit_cast<double>((magnitude << 42) | uint64_t{0x7ff} << 52);
  return std::bit_cast<double>(std::bit_cast<uint64_t>(value) | sign);
}

// Low nibbles of `count` bytes first, then their high nibbles.
template <size_t kCount>
STEELYARD_LANES void nibbles(uint8_t* codes, const uint8_t* bytes) {
  typedef uint8_t Sixteen __attribute__((vector_size(16)));
  for (size_t i = 0; i < kCount; i += 16) {
    Sixteen both;
    load(both, bytes + i);
    const Sixteen low = both & 15, high = both >> 4;
    std::memcpy(codes + i, &low, 16);
    std::memcpy(codes + kCount + i, &high, 16);
  }
}

template <size_t kCount>
STEELYARD_LANES void subtract(Decoded& out, int origin) {
  for (size_t i = 0; i < kCount; i++) out.levels[i] = static_cast<int8_t>(out.codes[i] - origin);
}

// Q4_0, Q4_1, Q5_0, Q5_1: 32 codes, low nibbles first; a fifth bit per code in a 32-bit word.
template <bool kMin, bool kFifth>
STEELYARD_LANES void decode_simple(const uint8_t* block, int origin, Decoded& out) {
  out.scales[0] = f16(block);
  out.mins[0] = kMin ? -f16(block + 2) : 0;
  const uint8_t* p = block + (kMin ? 4 : 2);
  nibbles<16>(out.codes, p + (kFifth ? 4 : 0));
  if constexpr (kFifth) {
    uint32_t fifth;
    std::memcpy(&fifth, p, sizeof fifth);
    for (unsigned i = 0; i < kBlock; i++) out.codes[i] |= static_cast<uint8_t>((fifth >> i & 1) << 4);
  }
  subtract<kBlock>(out, origin);
}

STEELYARD_LANES void decode_q8_0(const uint8_t* block, Decoded& out) {
  out.scales[0] = f16(block);
  out.mins[0] = 0;
  std::memcpy(out.codes, block + 2, kBlock);
  std::memcpy(out.levels, block + 2, kBlock);
}

// Two bits per code: four groups of 32 in each half, at shifts 0, 2, 4, 6 of the same 32 bytes.
STEELYARD_LANES void two_bits(uint8_t* codes, const uint8_t* quants) {
  for (unsigned half = 0; half < 2; half++) {
    for (unsigned group = 0; group < 4; group++) {
      for (unsigned i = 0; i < 32; i++)
        codes[128 * half + 32 * group + i] = quants[32 * half + i] >> (2 * group) & 3;
    }
  }
}

// 16 sub-blocks of 16; scales[16] hold a 4-bit scale and a 4-bit min, two-bit codes.
STEELYARD_LANES void decode_q2_k(const uint8_t* block, Decoded& out) {
  const double d = f16(block + 80), dmin = f16(block + 82);
  for (unsigned sub = 0; sub < 16; sub++) {
    out.scales[sub] = d * (block[sub] & 15);
    out.mins[sub] = dmin * (block[sub] >> 4);
  }
  two_bits(out.codes, block + 16);
  subtract<kSuperBlock>(out, 0);
}

// 16 sub-blocks of 16; six-bit scales packed into 12 bytes, two low bits in qs and one high bit in hmask.
STEELYARD_LANES void decode_q3_k(const uint8_t* block, Decoded& out) {
  const uint8_t *high = block, *scales = block + 96;
  const double d = f16(block + 108);
  for (unsigned sub = 0; sub < 16; sub++) {
    const unsigned low4 = sub < 8 ? scales[sub] & 15u : scales[sub - 8] >> 4;
    const unsigned high2 = (scales[8 + sub % 4] >> (2 * (sub / 4))) & 3;
    out.scales[sub] = d * (static_cast<int>(low4 | high2 << 4) - 32);
    out.mins[sub] = 0;
  }
  two_bits(out.codes, block + 32);
  for (unsigned group = 0; group < 8; group++) {
    for (unsigned i = 0; i < 32; i++)
      out.codes[32 * group + i] |= static_cast<uint8_t>((high[i] >> group & 1) << 2);
  }
  subtract<kSuperBlock>(out, 4);
}

// Q4_K and Q5_K pack eight six-bit scales and eight six-bit mins into 12 bytes.
STEELYARD_LANES void unpack_scale_min(const uint8_t* packed, unsigned sub, unsigned& scale, unsigned& min) {
  if (sub < 4) {
    scale = packed[sub] & 63;
    min = packed[sub + 4] & 63;
  } else {
    scale = (packed[sub + 4] & 15u) | (packed[sub - 4] >> 6) << 4;
    min = (packed[sub + 4] >> 4) | (packed[sub] >> 6) << 4;
  }
}

template <bool kFifth>
STEELYARD_LANES void decode_q45_k(const uint8_t* block, Decoded& out) {
  const double d = f16(block), dmin = f16(block + 2);
  const uint8_t *fifth = block + 16, *quants = block + (kFifth ? 48 : 16);
#pragma GCC unroll 8
  for (unsigned sub = 0; sub < 8; sub++) {
    unsigned scale, min;
    unpack_scale_min(block + 4, sub, scale, min);
    out.scales[sub] = d * scale;
    out.mins[sub] = dmin * min;
  }
  for (unsigned pair = 0; pair < 4; pair++) nibbles<32>(out.codes + 64 * pair, quants + 32 * pair);
  if constexpr (kFifth) {
    for (unsigned sub = 0; sub < 8; sub++) {
      for (unsigned i = 0; i < 32; i++)
        out.codes[32 * sub + i] |= static_cast<uint8_t>((fifth[i] >> sub & 1) << 4);
    }
  }
  subtract<kSuperBlock>(out, 0);
}

// 16 sub-blocks of 16 with signed scales; four low bits in ql, two high bits in qh.
STEELYARD_LANES void decode_q6_k(const uint8_t* block, Decoded& out) {
  const double d = f16(block + 208);
  for (unsigned sub = 0; sub < 16; sub++) {
    out.scales[sub] = d * static_cast<int8_t>(block[192 + sub]);
    out.mins[sub] = 0;
  }
  for (unsigned half = 0; half < 2; half++) {
    uint8_t* codes = out.codes + 128 * half;
    nibbles<64>(codes, block + 64 * half);
    for (unsigned quarter = 0; quarter < 4; quarter++) {
      for (unsigned i = 0; i < 32; i++)
        codes[32 * quarter + i] |=
            static_cast<uint8_t>((block[128 + 32 * half + i] >> (2 * quarter) & 3) << 4);
    }
  }
  subtract<kSuperBlock>(out, 32);
}

// The non-linear levels of IQ4 (kvalues_iq4nl), and twice the values of F4 (OCP MX E2M1).
constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
constexpr int8_t kF4Levels[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

STEELYARD_LANES void look_up(Decoded& out, unsigned at, const uint8_t* quants, const int8_t levels[16]) {
  nibbles<16>(out.codes + at, quants);
  for (unsigned i = at; i < at + kBlock; i++) out.levels[i] = levels[out.codes[i]];
}

STEELYARD_LANES void decode_iq4_nl(const uint8_t* block, Decoded& out) {
  out.scales[0] = f16(block);
  out.mins[0] = 0;
  look_up(out, 0, block + 2, kIq4Levels);
}

STEELYARD_LANES void decode_iq4_xs(const uint8_t* block, Decoded& out) {
  const double d = f16(block);
  const unsigned high = load16(block + 2);
  for (unsigned sub = 0; sub < 8; sub++) {
    const unsigned low4 = (block[4 + sub / 2] >> (4 * (sub % 2))) & 15;
    out.scales[sub] = d * (static_cast<int>(low4 | ((high >> (2 * sub)) & 3) << 4) - 32);
    out.mins[sub] = 0;
    look_up(out, 32 * sub, block + 8 + 16 * sub, kIq4Levels);
  }
}

STEELYARD_LANES void decode_mxfp4(const uint8_t* block, Decoded& out) {
  // 2^(code - 127), halved because the levels are doubled; code 255 is not a number (OCP MX E8M0).
  const uint64_t exponent = block[0] == 255 ? 0x7ff8 : (block[0] + uint64_t{1023 - 128}) << 4;
  out.scales[0] = std::bit_cast<double>(exponent << 48);
  out.mins[0] = 0;
  look_up(out, 0, block + 1, kF4Levels);
}

template <Dtype kDtype>
STEELYARD_LANES void decode(const uint8_t* block, Decoded& out) {
  if constexpr (kDtype == Dtype::Q4_0) decode_simple<false, false>(block, 8, out);
  if constexpr (kDtype == Dtype::Q4_1) decode_simple<true, false>(block, 0, out);
  if constexpr (kDtype == Dtype::Q5_0) decode_simple<false, true>(block, 16, out);
  if constexpr (kDtype == Dtype::Q5_1) decode_simple<true, true>(block, 0, out);
  if constexpr (kDtype == Dtype::Q8_0) decode_q8_0(block, out);
  if constexpr (kDtype == Dtype::Q2_K) decode_q2_k(block, out);
  if constexpr (kDtype == Dtype::Q3_K) decode_q3_k(block, out);
  if constexpr (kDtype == Dtype::Q4_K) decode_q45_k<false>(block, out);
  if constexpr (kDtype == Dtype::Q5_K) decode_q45_k<true>(block, out);
  if constexpr (kDtype == Dtype::Q6_K) decode_q6_k(block, out);
  if constexpr (kDtype == Dtype::IQ4_NL) decode_iq4_nl(block, out);
  if constexpr (kDtype == Dtype::IQ4_XS) decode_iq4_xs(block, out);
  if constexpr (kDtype == Dtype::MXFP4) decode_mxfp4(block, out);
}

}  // namespace
}  // namespace steelyard
