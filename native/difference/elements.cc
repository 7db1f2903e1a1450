#include "difference/elements.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "counts/blocks/decode.h"
#include "counts/codes/codes.h"

namespace steelyard {
namespace {

template <class Code>
Code load_code(const uint8_t* data, size_t i) {
  Code code;
  std::memcpy(&code, data + i * sizeof code, sizeof code);
  return code;
}

template <class Number>
void convert(const uint8_t* data, size_t count, double* values) {
  for (size_t i = 0; i < count; i++) values[i] = static_cast<double>(load_code<Number>(data, i));
}

void decode_bf16(const uint8_t* data, size_t count, double* values) {
  for (size_t i = 0; i < count; i++)
    values[i] = std::bit_cast<float>(static_cast<uint32_t>(load_code<uint16_t>(data, i)) << 16);
}

void decode_f16(const uint8_t* data, size_t count, double* values) {
  for (size_t i = 0; i < count; i++) values[i] = f16(data + 2 * i);
}

// Two codes to the byte, the low nibble first.
unsigned nibble(const uint8_t* data, size_t i) {
  return data[i / 2] >> (4 * (i % 2)) & 15u;
}

void decode_bytes(const CodeFormat& format, const uint8_t* data, size_t count, double* values) {
  double table[256];
  for (unsigned code = 0; code < format.codes(); code++) table[code] = format.value(code);
  for (size_t i = 0; i < count; i++) values[i] = table[format.bits == 4 ? nibble(data, i) : data[i]];
}

constexpr size_t sub_block(Dtype dtype) {
  return dtype == Dtype::Q2_K || dtype == Dtype::Q3_K || dtype == Dtype::Q6_K ? 16 : 32;
}

// Calls `each` with every decoded block and the index of its first element.
template <Dtype kDtype, class F>
void for_blocks(const uint8_t* data, size_t count, F each) {
  constexpr DtypeRow kShape = kDtypes[static_cast<size_t>(kDtype)];
  Decoded block;
  for (size_t first = 0; first < count; first += kShape.block_count, data += kShape.block_size) {
    decode<kDtype>(data, block);
    each(block, first, size_t{kShape.block_count}, sub_block(kDtype));
  }
}

template <class F>
void for_any_blocks(Dtype dtype, const uint8_t* data, size_t count, F each) {
  switch (dtype) {
#define STEELYARD_CASE(name) \
  case Dtype::name:          \
    return for_blocks<Dtype::name>(data, count, each);
    STEELYARD_CASE(Q4_0)
    STEELYARD_CASE(Q4_1)
    STEELYARD_CASE(Q5_0)
    STEELYARD_CASE(Q5_1)
    STEELYARD_CASE(Q8_0)
    STEELYARD_CASE(Q2_K)
    STEELYARD_CASE(Q3_K)
    STEELYARD_CASE(Q4_K)
    STEELYARD_CASE(Q5_K)
    STEELYARD_CASE(Q6_K)
    STEELYARD_CASE(IQ4_NL)
    STEELYARD_CASE(IQ4_XS)
    STEELYARD_CASE(MXFP4)
#undef STEELYARD_CASE
    default:
      return;
  }
}

}  // namespace

unsigned code_bits(Dtype dtype) {
  if (const CodeFormat* format = code_format(dtype)) return format->bits;
  return row(dtype).method == Method::kWide ? row(dtype).block_size * 8 : 0;
}

void decode_elements(Dtype dtype, const uint8_t* data, size_t count, double* values) {
  switch (dtype) {
    case Dtype::BF16:
      return decode_bf16(data, count, values);
    case Dtype::F16:
      return decode_f16(data, count, values);
    case Dtype::F32:
      return convert<float>(data, count, values);
    case Dtype::F64:
      return convert<double>(data, count, values);
    case Dtype::I16:
      return convert<int16_t>(data, count, values);
    case Dtype::U16:
      return convert<uint16_t>(data, count, values);
    case Dtype::I32:
      return convert<int32_t>(data, count, values);
    case Dtype::U32:
      return convert<uint32_t>(data, count, values);
    case Dtype::I64:
      return convert<int64_t>(data, count, values);
    case Dtype::U64:
      return convert<uint64_t>(data, count, values);
    default:
      break;
  }
  if (const CodeFormat* format = code_format(dtype)) return decode_bytes(*format, data, count, values);
  for_any_blocks(dtype, data, count, [values](const Decoded& block, size_t first, size_t n, size_t size) {
    for (size_t i = 0; i < n; i++)
      values[first + i] = block.scales[i / size] * block.levels[i] - block.mins[i / size];
  });
}

void element_codes(Dtype dtype, const uint8_t* data, size_t count, uint64_t* codes) {
  switch (code_bits(dtype)) {
    case 4:
      for (size_t i = 0; i < count; i++) codes[i] = nibble(data, i);
      return;
    case 8:
      for (size_t i = 0; i < count; i++) codes[i] = data[i];
      return;
    case 16:
      for (size_t i = 0; i < count; i++) codes[i] = load_code<uint16_t>(data, i);
      return;
    case 32:
      for (size_t i = 0; i < count; i++) codes[i] = load_code<uint32_t>(data, i);
      return;
    case 64:
      for (size_t i = 0; i < count; i++) codes[i] = load_code<uint64_t>(data, i);
      return;
    default:
      for_any_blocks(dtype, data, count, [codes](const Decoded& block, size_t first, size_t n, size_t) {
        for (size_t i = 0; i < n; i++) codes[first + i] = block.codes[i];
      });
  }
}

}  // namespace steelyard
