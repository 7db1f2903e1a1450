// What the kernels do with ggml blocks whose elements are decoded: integer sums over each sub-block, exact,
// and from them the sums over 16,384 values. One table of functions per instruction set, all compiled from
// blocks_lanes.h: same operations, same order, same bits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counts/moments/moments.h"
#include "counts/rows/rows.h"
#include "counts/values/sweep.h"
#include "record/dtype.h"

namespace steelyard {

// The finite sub-blocks of at most 16,384 values: each stands for scale * level - min.
struct SubBlocks {
  static constexpr size_t kMax = kSweepBlock / 16;
  size_t count = 0, size = 32;  // elements in each: 16 or 32
  alignas(64) double scales[kMax], mins[kMax], l1[kMax];
  // Sums of the levels' first, second and third powers, and of (level^2 - 8192)^2 - 2^26: so centred, the
  // fourth power of an 8-bit level adds up in 32 bits too.
  alignas(64) int32_t sums[4][kMax];
};

// Magnitudes fall into 63 neighbouring quarter octaves nearly always, so that two of them and their signs
// make one code of 14 bits: place in the window (0: the value is zero) and sign, twice. Codes of quants, two
// in 12 bits, follow after those.
struct PairList {
  static constexpr size_t kQuants = 1 << 14;  // the first code of a pair of quants
  std::vector<uint16_t> codes;
  size_t count = 0;
  int first = 0;      // place 0 of the window, as sign-free leading 13 bits of a double
  bool used = false;  // something was listed for this window
  uint64_t missed = 0;

  // Room for the next codes; codes.size() is enough for all of a pass.
  uint16_t* take(size_t more) {
    count += more;
    return codes.data() + (count - more);
  }
};

struct BlockPass {
  SubBlocks subs;
  PairList pairs;
  Magnitudes magnitudes;  // what the window missed
  Rows* rows = nullptr;
  size_t elements = 0;  // of the block of 16,384 at hand
  SweepTotals totals;
  uint64_t zero = 0, nan = 0, pos_inf = 0, neg_inf = 0, at_extreme = 0;
  double min = HUGE_VAL, max = -HUGE_VAL;
  // Bytes of the blocks that hold neither quants nor a 16-bit scale or min, where quants are counted from the
  // bytes; in turn in four tables, for neighbours are often equal and one count must not wait for the other.
  uint64_t other_bytes[4][256] = {};

  void close();
  void (*sum)(SubBlocks& subs, BlockSums& sums) = nullptr;
};

// How the quant codes of a dtype are counted.
enum class Quants : uint8_t {
  kNone,     // not decoded
  kBytes,    // from the histogram of all bytes: a byte is a code
  kNibbles,  // likewise: a byte is two codes
  kPairs,    // listed
};
constexpr Quants quants_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::Q8_0:
      return Quants::kBytes;
    case Dtype::Q4_0:
    case Dtype::Q4_1:
    case Dtype::Q4_K:
    case Dtype::IQ4_NL:
    case Dtype::IQ4_XS:
    case Dtype::MXFP4:
      return Quants::kNibbles;
    case Dtype::Q5_0:
    case Dtype::Q5_1:
    case Dtype::Q2_K:
    case Dtype::Q3_K:
    case Dtype::Q5_K:
    case Dtype::Q6_K:
      return Quants::kPairs;
    default:
      return Quants::kNone;
  }
}
constexpr bool has_min(Dtype dtype) {
  return dtype == Dtype::Q4_1 || dtype == Dtype::Q5_1 || dtype == Dtype::Q2_K || dtype == Dtype::Q4_K ||
         dtype == Dtype::Q5_K;
}
// Bytes of a block before its quants, where quants are counted from the bytes, and how many of them are its
// scale and its min as count_scales reads them.
constexpr size_t head_size(Dtype dtype) {
  const DtypeRow& shape = kDtypes[static_cast<size_t>(dtype)];
  return shape.block_size - (quants_of(dtype) == Quants::kBytes ? shape.block_count : shape.block_count / 2);
}
constexpr size_t scales_size(Dtype dtype) {
  return dtype == Dtype::MXFP4 ? 1 : has_min(dtype) ? 4 : 2;
}
// A quantiser that rounds to nearest puts the largest element of every block on its extreme code; bits
// changed afterwards break that. Q8_0: |q| = 127 (d = absmax / 127). Q4_0, Q5_0: code 0 (d = max / -8, max /
// -16).
constexpr bool has_extreme(Dtype dtype) {
  return dtype == Dtype::Q8_0 || dtype == Dtype::Q4_0 || dtype == Dtype::Q5_0;
}

struct BlockKernel {
  // `blocks` whole blocks of a dtype that is decoded.
  void (*pass)(Dtype dtype, const uint8_t* data, size_t blocks, BlockPass& pass);
  void (*sum)(SubBlocks& subs, BlockSums& sums);
};

extern const BlockKernel kBlocksPortable;
#if defined(__x86_64__)
extern const BlockKernel kBlocksAvx2, kBlocksAvx512;
#endif

}  // namespace steelyard
