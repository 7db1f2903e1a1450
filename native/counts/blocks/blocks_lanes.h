// The loops behind blocks.h. A file per instruction set includes this after telling the compiler its target;
// everything here is local to that file.
#pragma once
#include <algorithm>
#include <cmath>

#include "counts/blocks/blocks.h"
#include "counts/blocks/decode.h"
#include "counts/blocks/groups/block_groups.h"
#include "counts/blocks/groups/level_sums.h"
#include "counts/blocks/groups/magnitude_pairs.h"

namespace steelyard {
namespace {

// A scale or min that is no number makes none of any element.
template <size_t kSize>
void count_specials(const int8_t* levels, double scale, double min, BlockPass& pass) {
  for (size_t i = 0; i < kSize; i++) {
    const double x = scale * levels[i] - min;
    (x != x ? pass.nan : x > 0 ? pass.pos_inf : pass.neg_inf)++;
  }
}

// kLow, kHigh: the limits of the levels.
template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void add_sub_block(const uint8_t* codes, const int8_t* levels, double scale, double min,
                                   BlockPass& pass) {
  if (!(scale - scale == 0 && min - min == 0)) [[unlikely]]
    return count_specials<kSize>(levels, scale, min, pass);
  // The level below which elements have one sign and above which they have the other.
  double border = 0;
  if (has_min(kDtype) && scale != 0) border = std::max(-128.0, std::min(127.0, std::floor(min / scale)));
  LevelSums sums;
  sum_levels<kSize>(levels, static_cast<int>(border), sums);
  SubBlocks& subs = pass.subs;
  const size_t j = subs.count++;
  subs.scales[j] = scale;
  subs.mins[j] = min;
  for (size_t k = 0; k < 4; k++) subs.sums[k][j] = sums.powers[k];
  const double above = scale * sums.sum_above - min * sums.above;
  const double below =
      scale * (sums.powers[0] - sums.sum_above) - min * (static_cast<int>(kSize) - sums.above);
  subs.l1[j] = std::fabs(above) + std::fabs(below);
  if (scale == 0) {
    pass.zero += min == 0 ? kSize : 0;
  } else if (scale * border == min) {
    pass.zero += static_cast<unsigned>(sums.equal);
  }
  const double end0 = scale * kLow - min, end1 = scale * kHigh - min;
  if (std::min(end0, end1) < pass.min || std::max(end0, end1) > pass.max) [[unlikely]]
    widen_extremes<kSize>(levels, scale, min, pass);
  list_magnitudes<kDtype, kSize, kLow, kHigh>(codes, levels, scale, min, pass);
}

void add_rows(const Decoded& block, size_t count, size_t size, Rows& rows) {
  double values[kSuperBlock];
  for (size_t i = 0; i < count; i++)
    values[i] = block.scales[i / size] * block.levels[i] - block.mins[i / size];
  rows.add(values, count);
}

// Blocks in which an element has its extreme code.
template <Dtype kDtype>
STEELYARD_LANES uint64_t count_extreme(const uint8_t* codes, size_t blocks) {
  uint64_t count = 0;
  for (; blocks > 0; blocks--, codes += kBlock) {
    uint8_t reached = 0;  // a byte, and no branch, so that compilers make vectors of this
    for (size_t i = 0; i < kBlock; i++) {
      const uint8_t code = codes[i];
      const bool extreme = kDtype == Dtype::Q8_0 ? (code == 127) | (code == 129) : code == 0;
      reached |= static_cast<uint8_t>(extreme ? 0xff : 0);
    }
    count += reached & 1;
  }
  return count;
}

template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void add_sub_blocks(const Decoded& group, size_t count, BlockPass& pass) {
#ifdef STEELYARD_AVX512
  if (count == kSuperBlock && add_group<kDtype, kSize, kLow, kHigh>(group, pass)) return;
#endif
  for (size_t at = 0; at < count; at += kSize) {
    add_sub_block<kDtype, kSize, kLow, kHigh>(group.codes + at, group.levels + at, group.scales[at / kSize],
                                              group.mins[at / kSize], pass);
  }
  if constexpr (has_extreme(kDtype)) pass.at_extreme += count_extreme<kDtype>(group.codes, count / kBlock);
}

template <size_t kCount>
STEELYARD_LANES void list_quants(const uint8_t* codes, PairList& pairs) {
  uint16_t* out = pairs.take(kCount / 2);
  for (size_t i = 0; i < kCount / 2; i++)
    out[i] = static_cast<uint16_t>(PairList::kQuants + (codes[i] | codes[kCount / 2 + i] << 6));
}

// At most 256 elements.
template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void add_decoded(const Decoded& group, size_t count, BlockPass& pass) {
  add_sub_blocks<kDtype, kSize, kLow, kHigh>(group, count, pass);
  if (pass.rows != nullptr) add_rows(group, count, kSize, *pass.rows);
  pass.elements += count;
  if (pass.elements == kSweepBlock) pass.close();
}

// kSize: elements of a sub-block. A group is decoded before the one before it is added: its bytes are then
// back from the stores, whose pieces are smaller than what is loaded.
template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void pass_blocks(const uint8_t* data, size_t blocks, BlockPass& pass) {
  constexpr DtypeRow kShape = kDtypes[static_cast<size_t>(kDtype)];
  constexpr size_t kCount = kShape.block_count;
  pass.subs.size = kSize;
  Decoded groups[2];
  size_t waiting = 0;  // elements of the group before
  for (size_t turn = 0; blocks > 0 || waiting > 0; turn ^= 1) {
    const size_t room = (kSweepBlock - (pass.elements + waiting) % kSweepBlock) / kCount;
    const size_t taken = std::min({blocks, kSuperBlock / kCount, room});
    // The hardware's own prefetch stops at the end of a page.
    for (size_t at = 0; at < taken * kShape.block_size; at += 64) __builtin_prefetch(data + 4096 + at);
    for (size_t i = 0; i < taken; i++, data += kShape.block_size) {
      decode<kDtype>(data, groups[turn], i);
      if constexpr (quants_of(kDtype) == Quants::kPairs) {
        list_quants<kCount>(groups[turn].codes + kCount * i, pass.pairs);
      } else {
        for (size_t k = scales_size(kDtype); k < head_size(kDtype); k++) pass.other_bytes[k % 4][data[k]]++;
      }
    }
    if (waiting > 0) add_decoded<kDtype, kSize, kLow, kHigh>(groups[turn ^ 1], waiting, pass);
    blocks -= taken;
    waiting = taken * kCount;
  }
}

void pass_any(Dtype dtype, const uint8_t* data, size_t blocks, BlockPass& pass) {
  switch (dtype) {
    case Dtype::Q4_0:
      return pass_blocks<Dtype::Q4_0, 32, -8, 7>(data, blocks, pass);
    case Dtype::Q4_1:
      return pass_blocks<Dtype::Q4_1, 32, 0, 15>(data, blocks, pass);
    case Dtype::Q5_0:
      return pass_blocks<Dtype::Q5_0, 32, -16, 15>(data, blocks, pass);
    case Dtype::Q5_1:
      return pass_blocks<Dtype::Q5_1, 32, 0, 31>(data, blocks, pass);
    case Dtype::Q8_0:
      return pass_blocks<Dtype::Q8_0, 32, -128, 127>(data, blocks, pass);
    case Dtype::Q2_K:
      return pass_blocks<Dtype::Q2_K, 16, 0, 3>(data, blocks, pass);
    case Dtype::Q3_K:
      return pass_blocks<Dtype::Q3_K, 16, -4, 3>(data, blocks, pass);
    case Dtype::Q4_K:
      return pass_blocks<Dtype::Q4_K, 32, 0, 15>(data, blocks, pass);
    case Dtype::Q5_K:
      return pass_blocks<Dtype::Q5_K, 32, 0, 31>(data, blocks, pass);
    case Dtype::Q6_K:
      return pass_blocks<Dtype::Q6_K, 16, -32, 31>(data, blocks, pass);
    case Dtype::IQ4_NL:
      return pass_blocks<Dtype::IQ4_NL, 32, -127, 113>(data, blocks, pass);
    case Dtype::IQ4_XS:
      return pass_blocks<Dtype::IQ4_XS, 32, -127, 113>(data, blocks, pass);
    case Dtype::MXFP4:
      return pass_blocks<Dtype::MXFP4, 32, -12, 12>(data, blocks, pass);
    default:
      return;
  }
}

// Central moments of each sub-block first: integers over a power of two, so they are exact in doubles (below
// 2^53, which 32 eighth-bit levels just allow), and only scaling rounds. Then as if each were a value.
template <size_t kRegister>
STEELYARD_LANES void sum_sub_blocks(SubBlocks& subs, BlockSums& out) {
  using V = Vectors<kRegister>;
  using Doubles = typename V::Doubles;
  const size_t whole = (subs.count + kLanes - 1) / kLanes * kLanes;
  for (size_t j = subs.count; j < whole; j++) {
    subs.scales[j] = subs.mins[j] = subs.l1[j] = 0;
    for (auto& sums : subs.sums) sums[j] = 0;
  }
  alignas(64) double means[SubBlocks::kMax], second[SubBlocks::kMax], third[SubBlocks::kMax],
      fourth[SubBlocks::kMax];
  const double size = static_cast<double>(subs.size), inverse = 1 / size;
  Doubles sum[V::kParts] = {}, l1[V::kParts] = {}, squares[V::kParts] = {};
  for (size_t at = 0; at < whole; at += kLanes) {
#pragma GCC unroll 4
    for (size_t part = 0; part < V::kParts; part++) {
      const size_t j = at + part * V::kWidth;
      typename V::Ints whole_sums[4];
      Doubles s[4], scale, min, l1_j;
      for (size_t k = 0; k < 4; k++) {
        load(whole_sums[k], &subs.sums[k][j]);
        s[k] = __builtin_convertvector(whole_sums[k], Doubles);
      }
      load(scale, &subs.scales[j]);
      load(min, &subs.mins[j]);
      load(l1_j, &subs.l1[j]);
      const Doubles s1 = s[0], s2 = s[1], s3 = s[2], s4 = s[3] + 16384 * s2;
      const Doubles mean = s1 * inverse, s1_mean = s1 * mean;
      const Doubles c2 = s2 - s1_mean;
      const Doubles c3 = s3 - mean * (3 * s2 - 2 * s1_mean);
      const Doubles c4 = s4 - mean * (4 * s3 - mean * (6 * s2 - 3 * s1_mean));
      const Doubles scale2 = scale * scale, total = scale * s1 - size * min, x = total * inverse;
      const Doubles v2 = scale2 * c2, v3 = scale2 * scale * c3, v4 = scale2 * scale2 * c4;
      std::memcpy(&means[j], &x, sizeof x);
      std::memcpy(&second[j], &v2, sizeof v2);
      std::memcpy(&third[j], &v3, sizeof v3);
      std::memcpy(&fourth[j], &v4, sizeof v4);
      sum[part] += total;
      l1[part] += l1_j;
      squares[part] += v2 + size * x * x;
    }
  }
  const double n = size * static_cast<double>(subs.count), mean = sum_of(sum) / n;
  for (size_t j = subs.count; j < whole; j++) means[j] = mean;  // what fills up departs from nothing
  Doubles m2[V::kParts] = {}, m3[V::kParts] = {}, m4[V::kParts] = {};
  for (size_t at = 0; at < whole; at += kLanes) {
#pragma GCC unroll 4
    for (size_t part = 0; part < V::kParts; part++) {
      const size_t j = at + part * V::kWidth;
      Doubles x, v2, v3, v4;
      load(x, &means[j]);
      load(v2, &second[j]);
      load(v3, &third[j]);
      load(v4, &fourth[j]);
      const Doubles a = x - mean, a2 = a * a, n_a2 = size * a2;
      m2[part] += v2 + n_a2;
      m3[part] += v3 + 3 * a * v2 + n_a2 * a;
      m4[part] += v4 + 4 * a * v3 + 6 * a2 * v2 + n_a2 * a2;
    }
  }
  out.l1 = sum_of(l1);
  out.squares = sum_of(squares);
  out.moments = {n, mean, sum_of(m2), sum_of(m3), sum_of(m4)};
}

}  // namespace
}  // namespace steelyard
