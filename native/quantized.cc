// Every block is decoded by its formula in double precision, where products of scales and quants are exact.
// Layouts: struct block_* in ggml-common.h and dequantize_row_* in ggml-quants.c (ggml, MIT); MXFP4: OCP
// Microscaling Formats 1.0.
#include "quantized.h"

#include <cmath>
#include <cstring>

#include "entropy.h"

namespace steelyard {
namespace {

uint16_t load16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] | p[1] << 8);
}
double f16(const uint8_t* p) {
  return kF16Codes.value(load16(p));
}

constexpr size_t kBlock = 32, kSuperBlock = 256;

// One block as it was decoded: its quant codes as stored, and the values they stand for.
struct Decoded {
  double* values;
  uint8_t codes[kSuperBlock];
};

// Q4_0, Q4_1, Q5_0, Q5_1: 32 codes, low nibbles first; a fifth bit per code in a 32-bit word.
void decode_simple(const uint8_t* block, bool has_min, bool has_fifth, int origin, Decoded& out) {
  const double d = f16(block), m = has_min ? f16(block + 2) : 0;
  const uint8_t* p = block + (has_min ? 4 : 2);
  uint32_t fifth = 0;
  if (has_fifth) {
    std::memcpy(&fifth, p, sizeof fifth);
    p += sizeof fifth;
  }
  for (unsigned i = 0; i < kBlock; i++) {
    unsigned code = i < 16 ? p[i] & 15u : p[i - 16] >> 4;
    code |= ((fifth >> i) & 1) << 4;
    out.codes[i] = static_cast<uint8_t>(code);
    const double scaled = d * (static_cast<int>(code) - origin);
    out.values[i] = has_min ? scaled + m : scaled;
  }
}

void decode_q8_0(const uint8_t* block, Decoded& out) {
  const double d = f16(block);
  for (unsigned i = 0; i < kBlock; i++) {
    out.codes[i] = block[2 + i];
    out.values[i] = d * static_cast<int8_t>(block[2 + i]);
  }
}

// 16 sub-blocks of 16; scales[16] hold a 4-bit scale and a 4-bit min, two-bit codes.
void decode_q2_k(const uint8_t* block, Decoded& out) {
  const uint8_t *scales = block, *quants = block + 16;
  const double d = f16(block + 80), dmin = f16(block + 82);
  for (unsigned i = 0; i < kSuperBlock; i++) {
    const unsigned half = i / 128, shift = 2 * (i % 128 / 32), byte = 32 * half + i % 32;
    const unsigned code = (quants[byte] >> shift) & 3;
    const uint8_t scale = scales[i / 16];
    out.codes[i] = static_cast<uint8_t>(code);
    out.values[i] = d * (scale & 15) * code - dmin * (scale >> 4);
  }
}

// 16 sub-blocks of 16; six-bit scales packed into 12 bytes, two low bits in qs and one high bit in hmask.
void decode_q3_k(const uint8_t* block, Decoded& out) {
  const uint8_t *high = block, *quants = block + 32, *scales = block + 96;
  const double d = f16(block + 108);
  for (unsigned i = 0; i < kSuperBlock; i++) {
    const unsigned half = i / 128, group = i % 128 / 32, byte = 32 * half + i % 32, sub = i / 16;
    const unsigned low4 = sub < 8 ? scales[sub] & 15u : scales[sub - 8] >> 4;
    const unsigned high2 = (scales[8 + sub % 4] >> (2 * (sub / 4))) & 3;
    const int scale = static_cast<int>(low4 | high2 << 4) - 32;
    const unsigned high_bit = (high[i % 32] >> (4 * half + group)) & 1;
    const unsigned code = ((quants[byte] >> (2 * group)) & 3u) | high_bit << 2;
    out.codes[i] = static_cast<uint8_t>(code);
    out.values[i] = d * scale * (static_cast<int>(code) - 4);
  }
}

// Q4_K and Q5_K pack eight six-bit scales and eight six-bit mins into 12 bytes.
void unpack_scale_min(const uint8_t* packed, unsigned sub, unsigned& scale, unsigned& min) {
  if (sub < 4) {
    scale = packed[sub] & 63;
    min = packed[sub + 4] & 63;
  } else {
    scale = (packed[sub + 4] & 15u) | (packed[sub - 4] >> 6) << 4;
    min = (packed[sub + 4] >> 4) | (packed[sub] >> 6) << 4;
  }
}

void decode_q45_k(const uint8_t* block, bool has_fifth, Decoded& out) {
  const double d = f16(block), dmin = f16(block + 2);
  const uint8_t *packed = block + 4, *fifth = block + 16, *quants = block + (has_fifth ? 48 : 16);
  for (unsigned sub = 0; sub < 8; sub++) {
    unsigned scale, min;
    unpack_scale_min(packed, sub, scale, min);
    for (unsigned i = 0; i < 32; i++) {
      const uint8_t byte = quants[32 * (sub / 2) + i];
      unsigned code = sub % 2 == 0 ? byte & 15u : byte >> 4;
      if (has_fifth) code |= ((fifth[i] >> sub) & 1u) << 4;
      out.codes[32 * sub + i] = static_cast<uint8_t>(code);
      out.values[32 * sub + i] = d * scale * code - dmin * min;
    }
  }
}

// 16 sub-blocks of 16 with signed scales; four low bits in ql, two high bits in qh.
void decode_q6_k(const uint8_t* block, Decoded& out) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  const double d = f16(block + 208);
  for (unsigned i = 0; i < kSuperBlock; i++) {
    const unsigned half = i / 128, quarter = i % 128 / 32, lane = i % 32;
    const uint8_t low_byte = low[64 * half + 32 * (quarter % 2) + lane];
    const unsigned low4 = quarter < 2 ? low_byte & 15u : low_byte >> 4;
    const unsigned high2 = (high[32 * half + lane] >> (2 * quarter)) & 3;
    const unsigned code = low4 | high2 << 4;
    out.codes[i] = static_cast<uint8_t>(code);
    out.values[i] = d * static_cast<int8_t>(scales[i / 16]) * (static_cast<int>(code) - 32);
  }
}

// The non-linear levels of IQ4 (kvalues_iq4nl).
constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

void decode_levels(const uint8_t* quants, double scale, Decoded& out, unsigned at) {
  for (unsigned i = 0; i < kBlock; i++) {
    const unsigned code = i < 16 ? quants[i] & 15u : quants[i - 16] >> 4;
    out.codes[at + i] = static_cast<uint8_t>(code);
    out.values[at + i] = scale * kIq4Levels[code];
  }
}

void decode_iq4_xs(const uint8_t* block, Decoded& out) {
  const double d = f16(block);
  const unsigned high = load16(block + 2);
  for (unsigned sub = 0; sub < 8; sub++) {
    const unsigned low4 = (block[4 + sub / 2] >> (4 * (sub % 2))) & 15;
    const int scale = static_cast<int>(low4 | ((high >> (2 * sub)) & 3) << 4) - 32;
    decode_levels(block + 8 + 16 * sub, d * scale, out, 32 * sub);
  }
}

void decode_mxfp4(const uint8_t* block, Decoded& out) {
  const double scale = kE8m0Codes.value(block[0]);
  const CodeFormat& elements = *code_format(Dtype::F4);
  for (unsigned i = 0; i < kBlock; i++) {
    const unsigned code = i < 16 ? block[1 + i] & 15u : block[1 + i - 16] >> 4;
    out.codes[i] = static_cast<uint8_t>(code);
    out.values[i] = scale * elements.value(code);
  }
}

// What is known of a block type: where its scale and min stand, and how many quant codes it has (0: not
// decoded).
struct BlockTraits {
  int scale_at;  // offset of a 16-bit float; -1: see count_scales
  int min_at;    // -1: none
  unsigned codes;
};

BlockTraits traits_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::Q4_0:
    case Dtype::IQ4_NL:
    case Dtype::IQ4_XS:
      return {0, -1, 16};
    case Dtype::Q4_1:
      return {0, 2, 16};
    case Dtype::Q5_0:
      return {0, -1, 32};
    case Dtype::Q5_1:
      return {0, 2, 32};
    case Dtype::Q8_0:
      return {0, -1, 256};
    case Dtype::Q2_K:
      return {80, 82, 4};
    case Dtype::Q3_K:
      return {108, -1, 8};
    case Dtype::Q4_K:
      return {0, 2, 16};
    case Dtype::Q5_K:
      return {0, 2, 32};
    case Dtype::Q6_K:
      return {208, -1, 64};
    case Dtype::MXFP4:
      return {-1, -1, 16};
    case Dtype::NVFP4:
    case Dtype::IQ1_M:
      return {-1, -1, 0};
    case Dtype::TQ1_0:
      return {52, -1, 0};
    case Dtype::TQ2_0:
      return {64, -1, 0};
    default:
      return {0, -1, 0};  // Q8_1, the other IQ types, Q1_0, Q2_0
  }
}

const CodeFormat& scale_format(Dtype dtype) {
  if (dtype == Dtype::MXFP4) return kE8m0Codes;
  if (dtype == Dtype::NVFP4) return kUe4m3Codes;
  return kF16Codes;
}

void decode(Dtype dtype, const uint8_t* block, Decoded& out) {
  switch (dtype) {
    case Dtype::Q4_0:
      return decode_simple(block, false, false, 8, out);
    case Dtype::Q4_1:
      return decode_simple(block, true, false, 0, out);
    case Dtype::Q5_0:
      return decode_simple(block, false, true, 16, out);
    case Dtype::Q5_1:
      return decode_simple(block, true, true, 0, out);
    case Dtype::Q8_0:
      return decode_q8_0(block, out);
    case Dtype::Q2_K:
      return decode_q2_k(block, out);
    case Dtype::Q3_K:
      return decode_q3_k(block, out);
    case Dtype::Q4_K:
      return decode_q45_k(block, false, out);
    case Dtype::Q5_K:
      return decode_q45_k(block, true, out);
    case Dtype::Q6_K:
      return decode_q6_k(block, out);
    case Dtype::IQ4_NL:
      return decode_levels(block + 2, f16(block), out, 0);
    case Dtype::IQ4_XS:
      return decode_iq4_xs(block, out);
    case Dtype::MXFP4:
      return decode_mxfp4(block, out);
    default:
      return;
  }
}

void count_scales(Dtype dtype, const BlockTraits& traits, const uint8_t* block, CodeHistogram& scales,
                  CodeHistogram& mins) {
  if (traits.scale_at >= 0) scales.count(load16(block + traits.scale_at));
  if (traits.min_at >= 0) mins.count(load16(block + traits.min_at));
  if (dtype == Dtype::MXFP4) scales.count(block[0]);
  if (dtype == Dtype::NVFP4) {
    for (int i = 0; i < 4; i++) scales.count(block[i]);
  }
  if (dtype == Dtype::IQ1_M) {  // a 16-bit float in the high nibbles of four 16-bit words
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) code |= static_cast<uint32_t>(load16(block + 48 + 2 * i) >> 12) << (4 * i);
    scales.count(code);
  }
}

// A quantiser that rounds to nearest puts the largest element of every block on its extreme code; bits
// changed afterwards break that. Q8_0: |q| = 127 (d = absmax / 127). Q4_0, Q5_0: code 0 (d = max / -8, max /
// -16).
bool at_extreme(Dtype dtype, const uint8_t* codes) {
  for (unsigned i = 0; i < kBlock; i++) {
    if (dtype == Dtype::Q8_0 ? codes[i] == 127 || codes[i] == 129 : codes[i] == 0) return true;
  }
  return false;
}

bool has_extreme(Dtype dtype) {
  return dtype == Dtype::Q8_0 || dtype == Dtype::Q4_0 || dtype == Dtype::Q5_0;
}

}  // namespace

bool has_rows(Dtype dtype) {
  if (dtype == Dtype::C64 || row(dtype).method == Method::kBytes) return false;
  return row(dtype).method != Method::kBlocks || traits_of(dtype).codes > 0;
}

void BlockCounts::begin(Dtype dtype, Rows* rows) {
  dtype_ = dtype;
  rows_ = rows;
  blocks_ = at_extreme_ = 0;
  std::memset(quants_, 0, sizeof quants_);
  values_.begin(rows);
}

void BlockCounts::update(const uint8_t* data, size_t size) {
  const DtypeRow& shape = row(dtype_);
  const BlockTraits traits = traits_of(dtype_);
  for (const uint8_t* block = data; block < data + size; block += shape.block_size) {
    blocks_++;
    count_scales(dtype_, traits, block, scales_, mins_);
    if (traits.codes == 0) continue;
    Decoded out;
    out.values = values_.room();  // 16,384 is a multiple of every block
    decode(dtype_, block, out);
    for (unsigned i = 0; i < shape.block_count; i++) quants_[out.codes[i]]++;
    if (has_extreme(dtype_) && at_extreme(dtype_, out.codes)) at_extreme_++;
    values_.added(shape.block_count);
  }
}

void BlockCounts::finish(Stats& stats) {
  const BlockTraits traits = traits_of(dtype_);
  QuantizedStats& quantized = stats.quantized;
  quantized.present = true;
  quantized.blocks = blocks_;
  const CodeFormat& format = scale_format(dtype_);
  quantized.scales = scale_stats(format, scales_.take(format.codes()));
  if (traits.min_at >= 0) quantized.mins = scale_stats(kF16Codes, mins_.take(kF16Codes.codes()));
  if (traits.codes == 0) return;
  values_.finish(stats);
  stats.negative_zero = 0;  // elements have no codes of their own, so no sign on zero
  quantized.quants.assign(quants_, quants_ + traits.codes);
  quantized.quants_entropy = entropy(quants_, traits.codes);
  if (has_extreme(dtype_)) quantized.blocks_at_extreme = static_cast<double>(at_extreme_);
}

}  // namespace steelyard
