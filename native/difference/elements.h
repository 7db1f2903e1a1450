// Single elements of any dtype that is decoded, as values and as codes: what comparing two tensors of
// whatever dtypes needs. Counting them has faster ways of its own.
#pragma once
#include <cstddef>
#include <cstdint>

#include "record/dtype.h"

namespace steelyard {

// Bits of one element's code; 0 where an element's value depends on more than its code (ggml blocks).
unsigned code_bits(Dtype dtype);

// `count` elements from the beginning of a block on, of a dtype that has_rows(). NaN and infinities come back
// as such; 64-bit integers are rounded to the nearest double.
void decode_elements(Dtype dtype, const uint8_t* data, size_t count, double* values);
// Likewise; of ggml blocks the codes of the quants.
void element_codes(Dtype dtype, const uint8_t* data, size_t count, uint64_t* codes);

// Bytes that `count` elements take, a whole number of blocks.
inline size_t size_of(Dtype dtype, size_t count) {
  return count / row(dtype).block_count * row(dtype).block_size;
}

}  // namespace steelyard
