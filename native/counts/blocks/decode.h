// One ggml block as integers: every type that is decoded stands for scale * level - min in each of its
// sub-blocks, with a small integer level per element. Layouts: struct block_* in ggml-common.h and
// dequantize_row_* in ggml-quants.c (ggml, MIT); MXFP4: OCP Microscaling Formats 1.0.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#include "counts/moments/lanes.h"
#include "record/dtype.h"

#ifdef STEELYARD_AVX2
#include <immintrin.h>
#endif

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

// Codes and levels are stored in pieces of the same 32 bytes, for a load waits long for the bytes of two
// stores that are still under way.
typedef uint8_t Piece __attribute__((vector_size(32)));

STEELYARD_LANES void put(const Piece& codes, int origin, Decoded& out, size_t at) {
  const Piece levels = codes - static_cast<uint8_t>(origin);
  std::memcpy(out.codes + at, &codes, sizeof codes);
  std::memcpy(out.levels + at, &levels, sizeof levels);
}

// Low nibbles of 16 bytes, then their high nibbles.
STEELYARD_LANES void unpack_nibbles(Piece& codes, const uint8_t* bytes) {
  typedef uint8_t Half __attribute__((vector_size(16)));
  Half both;
  load(both, bytes);
  const Half low = both & 15, high = both >> 4;
#ifdef STEELYARD_AVX2
  codes = (Piece)_mm256_set_m128i((__m128i)high, (__m128i)low);
#else
  std::memcpy(&codes, &low, sizeof low);
  std::memcpy(reinterpret_cast<uint8_t*>(&codes) + sizeof low, &high, sizeof high);
#endif
}

// Q4_0, Q4_1, Q5_0, Q5_1: 32 codes, low nibbles first; a fifth bit per code in a 32-bit word.
template <bool kMin, bool kFifth>
STEELYARD_LANES void decode_simple(const uint8_t* block, int origin, Decoded& out, size_t sub) {
  out.scales[sub] = f16(block);
  out.mins[sub] = kMin ? -f16(block + 2) : 0;
  const uint8_t* p = block + (kMin ? 4 : 2);
  Piece codes;
  unpack_nibbles(codes, p + (kFifth ? 4 : 0));
  if constexpr (kFifth) {
    typedef uint64_t Eights __attribute__((vector_size(32)));
    constexpr uint64_t kEach = 0x0101010101010101, kBits = 0x8040201008040201;
    const Eights spread = {p[0] * kEach, p[1] * kEach, p[2] * kEach, p[3] * kEach};
    codes |= (Piece)(((Piece)(spread & kBits) != 0) & 16);
  }
  put(codes, origin, out, kBlock * sub);
}

STEELYARD_LANES void decode_q8_0(const uint8_t* block, Decoded& out, size_t sub) {
  out.scales[sub] = f16(block);
  out.mins[sub] = 0;
  std::memcpy(out.codes + kBlock * sub, block + 2, kBlock);
  std::memcpy(out.levels + kBlock * sub, block + 2, kBlock);
}

// 16 sub-blocks of 16; scales[16] hold a 4-bit scale and a 4-bit min, two-bit codes.
STEELYARD_LANES void decode_q2_k(const uint8_t* block, Decoded& out) {
  const double d = f16(block + 80), dmin = f16(block + 82);
  for (unsigned sub = 0; sub < 16; sub++) {
    out.scales[sub] = d * (block[sub] & 15);
    out.mins[sub] = dmin * (block[sub] >> 4);
  }
  // Four groups of 32 in each half, at shifts 0, 2, 4, 6 of the same 32 bytes.
  for (unsigned half = 0; half < 2; half++) {
    Piece quants;
    load(quants, block + 16 + 32 * half);
    for (unsigned group = 0; group < 4; group++)
      put(quants >> (2 * group) & 3, 0, out, 128 * half + 32 * group);
  }
}

// 16 sub-blocks of 16; six-bit scales packed into 12 bytes, two low bits in qs and one high bit in hmask.
STEELYARD_LANES void decode_q3_k(const uint8_t* block, Decoded& out) {
  const uint8_t* scales = block + 96;
  const double d = f16(block + 108);
  for (unsigned sub = 0; sub < 16; sub++) {
    const unsigned low4 = sub < 8 ? scales[sub] & 15u : scales[sub - 8] >> 4;
    const unsigned high2 = (scales[8 + sub % 4] >> (2 * (sub / 4))) & 3;
    out.scales[sub] = d * (static_cast<int>(low4 | high2 << 4) - 32);
    out.mins[sub] = 0;
  }
  Piece quants, high;
  load(high, block);
  for (unsigned group = 0; group < 8; group++) {
    if (group % 4 == 0) load(quants, block + 32 + 8 * group);
    put((quants >> (2 * (group % 4)) & 3) | (high >> group & 1) << 2, 4, out, 32 * group);
  }
}

// Q4_K and Q5_K pack eight six-bit scales and eight six-bit mins into 12 bytes: a byte each.
STEELYARD_LANES void unpack_scales_mins(const uint8_t* packed, uint8_t scales[8], uint8_t mins[8]) {
  uint32_t words[3];
  std::memcpy(words, packed, sizeof words);
  constexpr uint32_t kSix = 0x3f3f3f3f, kFour = 0x0f0f0f0f, kTwo = 0x30303030;
  const uint32_t eight[4] = {words[0] & kSix, (words[2] & kFour) | (words[0] >> 2 & kTwo), words[1] & kSix,
                             (words[2] >> 4 & kFour) | (words[1] >> 2 & kTwo)};
  std::memcpy(scales, eight, 8);
  std::memcpy(mins, eight + 2, 8);
}

template <bool kFifth>
STEELYARD_LANES void decode_q45_k(const uint8_t* block, Decoded& out) {
  const double d = f16(block), dmin = f16(block + 2);
  uint8_t scales[8], mins[8];
  unpack_scales_mins(block + 4, scales, mins);
  for (unsigned sub = 0; sub < 8; sub++) {
    out.scales[sub] = d * scales[sub];
    out.mins[sub] = dmin * mins[sub];
  }
  Piece fifths = {};
  if (kFifth) load(fifths, block + 16);
  for (unsigned pair = 0; pair < 4; pair++) {
    Piece both;
    load(both, block + (kFifth ? 48 : 16) + 32 * pair);
    put((both & 15) | (fifths >> (2 * pair) & 1) << 4, 0, out, 64 * pair);
    put(both >> 4 | (fifths >> (2 * pair + 1) & 1) << 4, 0, out, 64 * pair + 32);
  }
}

// 16 sub-blocks of 16 with signed scales; four low bits in ql, two high bits in qh.
STEELYARD_LANES void decode_q6_k(const uint8_t* block, Decoded& out) {
  const double d = f16(block + 208);
  for (unsigned sub = 0; sub < 16; sub++) {
    out.scales[sub] = d * static_cast<int8_t>(block[192 + sub]);
    out.mins[sub] = 0;
  }
  for (unsigned half = 0; half < 2; half++) {
    Piece high;
    load(high, block + 128 + 32 * half);
    for (unsigned quarter = 0; quarter < 4; quarter++) {
      Piece both;
      load(both, block + 64 * half + 32 * (quarter % 2));
      put((quarter < 2 ? both & 15 : both >> 4) | (high >> (2 * quarter) & 3) << 4, 32, out,
          128 * half + 32 * quarter);
    }
  }
}

// The non-linear levels of IQ4 (kvalues_iq4nl), and twice the values of F4 (OCP MX E2M1).
constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
constexpr int8_t kF4Levels[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

STEELYARD_LANES void look_up(Decoded& out, size_t at, const uint8_t* quants, const int8_t levels[16]) {
  Piece codes;
  unpack_nibbles(codes, quants);
  std::memcpy(out.codes + at, &codes, sizeof codes);
#ifdef STEELYARD_AVX2
  const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels));
  const __m256i found = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), (__m256i)codes);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.levels + at), found);
#else
  for (size_t i = at; i < at + kBlock; i++) out.levels[i] = levels[out.codes[i]];
#endif
}

STEELYARD_LANES void decode_iq4_nl(const uint8_t* block, Decoded& out, size_t sub) {
  out.scales[sub] = f16(block);
  out.mins[sub] = 0;
  look_up(out, kBlock * sub, block + 2, kIq4Levels);
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

STEELYARD_LANES void decode_mxfp4(const uint8_t* block, Decoded& out, size_t sub) {
  // 2^(code - 127), halved because the levels are doubled; code 255 is not a number (OCP MX E8M0).
  const uint64_t exponent = block[0] == 255 ? 0x7ff8 : (block[0] + uint64_t{1023 - 128}) << 4;
  out.scales[sub] = std::bit_cast<double>(exponent << 48);
  out.mins[sub] = 0;
  look_up(out, kBlock * sub, block + 1, kF4Levels);
}

// A block of 32 elements becomes sub-block `sub`; a super-block is all there is room for.
template <Dtype kDtype>
STEELYARD_LANES void decode(const uint8_t* block, Decoded& out, [[maybe_unused]] size_t sub = 0) {
  if constexpr (kDtype == Dtype::Q4_0) decode_simple<false, false>(block, 8, out, sub);
  if constexpr (kDtype == Dtype::Q4_1) decode_simple<true, false>(block, 0, out, sub);
  if constexpr (kDtype == Dtype::Q5_0) decode_simple<false, true>(block, 16, out, sub);
  if constexpr (kDtype == Dtype::Q5_1) decode_simple<true, true>(block, 0, out, sub);
  if constexpr (kDtype == Dtype::Q8_0) decode_q8_0(block, out, sub);
  if constexpr (kDtype == Dtype::Q2_K) decode_q2_k(block, out);
  if constexpr (kDtype == Dtype::Q3_K) decode_q3_k(block, out);
  if constexpr (kDtype == Dtype::Q4_K) decode_q45_k<false>(block, out);
  if constexpr (kDtype == Dtype::Q5_K) decode_q45_k<true>(block, out);
  if constexpr (kDtype == Dtype::Q6_K) decode_q6_k(block, out);
  if constexpr (kDtype == Dtype::IQ4_NL) decode_iq4_nl(block, out, sub);
  if constexpr (kDtype == Dtype::IQ4_XS) decode_iq4_xs(block, out);
  if constexpr (kDtype == Dtype::MXFP4) decode_mxfp4(block, out, sub);
}

}  // namespace
}  // namespace steelyard
