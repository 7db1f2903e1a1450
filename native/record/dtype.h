// The dtypes as native code knows them: src/scan/dtype.ts states the same rows in the same order, and a test
// compares the two.
#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace steelyard {

// How a tensor's bytes are counted.
enum class Method : uint8_t {
  kBytes,   // byte entropy only
  kCodes,   // at most 16 bits: the histogram of codes says everything
  kWide,    // 32 and 64 bits: integer counts plus moments of values
  kBlocks,  // ggml blocks
};

#define STEELYARD_DTYPES(row)                                                                                \
  row(BOOL, 1, 1, kCodes) row(F4, 2, 1, kCodes) row(F6_E2M3, 4, 3, kBytes) row(F6_E3M2, 4, 3, kBytes)        \
      row(U8, 1, 1, kCodes) row(I8, 1, 1, kCodes) row(F8_E5M2, 1, 1, kCodes) row(F8_E4M3, 1, 1, kCodes)      \
          row(F8_E8M0, 1, 1, kCodes) row(F8_E4M3FNUZ, 1, 1, kCodes) row(F8_E5M2FNUZ, 1, 1, kCodes) row(      \
              I16, 1, 2, kCodes) row(U16, 1, 2, kCodes) row(F16, 1, 2, kCodes) row(BF16, 1, 2, kCodes)       \
              row(I32, 1, 4, kWide) row(U32, 1, 4, kWide) row(F32, 1, 4, kWide) row(C64, 1, 8, kWide) row(   \
                  F64, 1, 8, kWide) row(I64, 1, 8, kWide) row(U64, 1, 8, kWide) row(Q4_0, 32, 18, kBlocks)   \
                  row(Q4_1, 32, 20, kBlocks) row(Q5_0, 32, 22, kBlocks) row(Q5_1, 32, 24, kBlocks) row(      \
                      Q8_0, 32, 34, kBlocks) row(Q8_1, 32, 36, kBlocks) row(Q2_K, 256, 84, kBlocks)          \
                      row(Q3_K, 256, 110, kBlocks) row(Q4_K, 256, 144, kBlocks) row(Q5_K, 256, 176, kBlocks) \
                          row(Q6_K, 256, 210, kBlocks) row(Q8_K, 256, 292, kBytes)                           \
                              row(IQ2_XXS, 256, 66, kBlocks) row(IQ2_XS, 256, 74, kBlocks)                   \
                                  row(IQ3_XXS, 256, 98, kBlocks) row(IQ1_S, 256, 50, kBlocks)                \
                                      row(IQ4_NL, 32, 18, kBlocks) row(IQ3_S, 256, 110, kBlocks)             \
                                          row(IQ2_S, 256, 82, kBlocks) row(IQ4_XS, 256, 136, kBlocks)        \
                                              row(IQ1_M, 256, 56, kBlocks) row(TQ1_0, 256, 54, kBlocks)      \
                                                  row(TQ2_0, 256, 66, kBlocks) row(MXFP4, 32, 17, kBlocks)   \
                                                      row(NVFP4, 64, 36, kBlocks)                            \
                                                          row(Q1_0, 128, 18, kBlocks)                        \
                                                              row(Q2_0, 64, 18, kBlocks)

enum class Dtype : uint8_t {
#define STEELYARD_ROW(name, block_count, block_size, method) name,
  STEELYARD_DTYPES(STEELYARD_ROW)
#undef STEELYARD_ROW
};

struct DtypeRow {
  const char* name;
  uint32_t block_count;  // elements per block
  uint32_t block_size;   // bytes per block
  Method method;
};

inline constexpr DtypeRow kDtypes[] = {
#define STEELYARD_ROW(name, block_count, block_size, method) {#name, block_count, block_size, Method::method},
    STEELYARD_DTYPES(STEELYARD_ROW)
#undef STEELYARD_ROW
};
inline constexpr size_t kDtypeCount = std::size(kDtypes);
inline constexpr size_t kMaxBlockSize = 292;

// Row norms need every element decoded, one value each.
bool has_rows(Dtype dtype);

inline const DtypeRow& row(Dtype dtype) {
  return kDtypes[static_cast<size_t>(dtype)];
}

}  // namespace steelyard
