// The loops behind blocks.h. A file per instruction set includes this after telling the compiler its target;
// everything here is local to that file.
#pragma once
#include <cmath>

#include "blocks.h"
#include "decode.h"

#ifdef STEELYARD_AVX2
#include <immintrin.h>
#endif

namespace steelyard {
namespace {

// Of one sub-block of levels: the sums of SubBlocks, and how it lies about `limit`.
struct LevelSums {
  int32_t powers[4];
  int32_t above, sum_above, equal;  // levels above the limit, their sum, levels equal to it
};

#ifdef STEELYARD_AVX2
template <size_t kSize>
STEELYARD_LANES void sum_levels(const int8_t* levels, int limit, LevelSums& out) {
  const __m128i half0 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels));
  const __m128i half1 =
      kSize == 32 ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels + 16)) : _mm_setzero_si128();
  const __m256i ones = _mm256_set1_epi16(1), centre = _mm256_set1_epi16(8192);
  __m256i first = _mm256_setzero_si256(), second = first, third = first, fourth = first;
  for (size_t i = 0; i < kSize / 16; i++) {
    const __m256i q = _mm256_cvtepi8_epi16(i == 0 ? half0 : half1), q2 = _mm256_mullo_epi16(q, q);
    const __m256i centred = _mm256_sub_epi16(q2, centre);
    first = _mm256_add_epi32(first, _mm256_madd_epi16(q, ones));
    second = _mm256_add_epi32(second, _mm256_madd_epi16(q, q));
    third = _mm256_add_epi32(third, _mm256_madd_epi16(q2, q));
    fourth = _mm256_add_epi32(fourth, _mm256_madd_epi16(centred, centred));
  }
  const __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(first, second), _mm256_hadd_epi32(third, fourth));
  __m128i powers = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  powers = _mm_sub_epi32(powers, _mm_set_epi32(static_cast<int>(kSize << 26), 0, 0, 0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.powers), powers);

  const __m256i all = _mm256_inserti128_si256(_mm256_castsi128_si256(half0), half1, 1);
  const __m256i border = _mm256_set1_epi8(static_cast<char>(limit));
  const unsigned valid = kSize == 32 ? ~0u : 0xffffu;
  const __m256i above = _mm256_cmpgt_epi8(all, border);
  const unsigned above_mask = static_cast<unsigned>(_mm256_movemask_epi8(above)) & valid;
  const unsigned equal_mask =
      static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, border))) & valid;
  out.above = __builtin_popcount(above_mask);
  out.equal = __builtin_popcount(equal_mask);
  // Sums of unsigned bytes are cheap, so levels are raised by 128.
  __m256i raised = _mm256_and_si256(_mm256_xor_si256(all, _mm256_set1_epi8(-128)), above);
  if (kSize == 16) raised = _mm256_inserti128_si256(raised, _mm_setzero_si128(), 1);
  const __m256i sad = _mm256_sad_epu8(raised, _mm256_setzero_si256());
  const __m128i pair = _mm_add_epi64(_mm256_castsi256_si128(sad), _mm256_extracti128_si256(sad, 1));
  out.sum_above = _mm_cvtsi128_si32(pair) + _mm_extract_epi16(pair, 4) - 128 * out.above;
}
#else
template <size_t kSize>
STEELYARD_LANES void sum_levels(const int8_t* levels, int limit, LevelSums& out) {
  out = {};
  int64_t fourth = -static_cast<int64_t>(kSize << 26);
  for (size_t i = 0; i < kSize; i++) {
    const int q = levels[i], q2 = q * q;
    out.powers[0] += q;
    out.powers[1] += q2;
    out.powers[2] += q2 * q;
    fourth += (q2 - 8192) * (q2 - 8192);
    out.above += q > limit ? 1 : 0;
    out.sum_above += q > limit ? q : 0;
    out.equal += q == limit ? 1 : 0;
  }
  out.powers[3] = static_cast<int32_t>(fourth);
}
#endif

// The magnitudes of a sub-block that leaves the window.
template <size_t kSize>
void miss_magnitudes(const int8_t* levels, double scale, double min, BlockPass& pass) {
  pass.pairs.missed++;
  for (size_t i = 0; i < kSize; i++) {
    const double x = scale * levels[i] - min;
    if (x != 0) pass.magnitudes.add(x, 1);
  }
}

STEELYARD_LANES int leading_bits(double value) {
  return static_cast<int>(std::bit_cast<uint64_t>(value) >> 50 & 0x1fff);
}

// Lays the window about a magnitude, a quarter of it above, unless something was listed for it already.
inline bool move_window(PairList& pairs, double largest) {
  if (pairs.used || largest == 0) return false;
  pairs.first = leading_bits(largest) - 48;
  return true;
}

template <size_t kSize>
STEELYARD_LANES void list_any(const int8_t* levels, double scale, double min, BlockPass& pass) {
  PairList& pairs = pass.pairs;
  uint16_t codes[kSize];
  for (bool moved = false;;) {
    bool outside = false;
    double largest = 0;
    for (size_t i = 0; i < kSize; i++) {
      const double x = scale * levels[i] - min;
      const int place = x == 0 ? 0 : leading_bits(x) - pairs.first;
      outside |= x != 0 && (place < 1 || place > 63);
      largest = std::max(largest, std::fabs(x));
      codes[i] = static_cast<uint16_t>((place & 63) | (x < 0 ? 64 : 0));
    }
    if (!outside) break;
    if (moved || !move_window(pairs, largest)) return miss_magnitudes<kSize>(levels, scale, min, pass);
    moved = true;
  }
  pairs.used = true;
  uint16_t* out = pairs.take(kSize / 2);
  for (size_t i = 0; i < kSize; i += 2) out[i / 2] = static_cast<uint16_t>(codes[i] | codes[i + 1] << 7);
}

#ifdef STEELYARD_AVX2
// scale * level without a min, in single precision: a scale of at most 18 bits times a level of at most 7 is
// exact, and nothing of a binary16 scale under- or overflows there.
template <size_t kSize, int kLargest>
STEELYARD_LANES void list_products(const int8_t* levels, double scale, BlockPass& pass) {
  PairList& pairs = pass.pairs;
  const double size = std::fabs(scale);
  const auto inside = [&] {
    return leading_bits(size) > pairs.first && leading_bits(size * kLargest) - pairs.first < 64;
  };
  if (scale != 0 && !inside()) [[unlikely]] {
    if (!move_window(pairs, size * kLargest) || !inside())
      return miss_magnitudes<kSize>(levels, scale, 0, pass);
  }
  if (scale != 0) pairs.used = true;
  const __m256 factor = _mm256_set1_ps(static_cast<float>(scale));
  const __m256i first = _mm256_set1_epi16(static_cast<int16_t>(pairs.first - (1023 - 127) * 4));
  const __m256i size_bits = _mm256_set1_epi16(0x3ff), sign_bit = _mm256_set1_epi16(64);
  __m256i leading[kSize / 8], places[kSize / 16];
  for (size_t i = 0; i < kSize / 8; i++) {
    const __m256i q = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(levels + 8 * i)));
    const __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(q), factor);
    leading[i] = _mm256_srli_epi32(_mm256_castps_si256(x), 21);
  }
  for (size_t i = 0; i < kSize / 16; i++) {
    // The order of elements does not matter here.
    const __m256i both = _mm256_packus_epi32(leading[2 * i], leading[2 * i + 1]);
    const __m256i place = _mm256_subs_epu16(_mm256_and_si256(both, size_bits), first);  // zero stays below
    places[i] = _mm256_or_si256(place, _mm256_and_si256(_mm256_srli_epi16(both, 4), sign_bit));
  }
  if constexpr (kSize == 32) {
    const __m256i pair = _mm256_or_si256(places[0], _mm256_slli_epi16(places[1], 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs.take(16)), pair);
  } else {
    const __m128i low = _mm256_castsi256_si128(places[0]), high = _mm256_extracti128_si256(places[0], 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(pairs.take(8)), _mm_or_si128(low, _mm_slli_epi16(high, 7)));
  }
}

// Sixteen levels: the places of all of them, then a look-up per element. `order` has the levels as the
// packing below wants them.
STEELYARD_LANES void list_sixteen(const uint8_t* codes, const int8_t* levels, const double order[16],
                                  double scale, double min, BlockPass& pass) {
  PairList& pairs = pass.pairs;
  const __m256d factor = _mm256_set1_pd(scale), minus = _mm256_set1_pd(min);
  __m256 halves[4];
  for (size_t i = 0; i < 4; i++) {
    const __m256d x = _mm256_sub_pd(_mm256_mul_pd(_mm256_loadu_pd(order + 4 * i), factor), minus);
    halves[i] = _mm256_castsi256_ps(_mm256_srli_epi64(_mm256_castpd_si256(x), 50));
  }
  const __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(halves[0], halves[1], 0x88));
  const __m256i high = _mm256_castps_si256(_mm256_shuffle_ps(halves[2], halves[3], 0x88));
  const __m256i leading = _mm256_packus_epi32(low, high);
  const __m256i size = _mm256_and_si256(leading, _mm256_set1_epi16(0x1fff));
  const __m256i zero = _mm256_cmpeq_epi16(size, _mm256_setzero_si256());
  const __m256i place = _mm256_sub_epi16(size, _mm256_set1_epi16(static_cast<int16_t>(pairs.first)));
  const __m256i inside = _mm256_and_si256(_mm256_cmpgt_epi16(place, _mm256_setzero_si256()),
                                          _mm256_cmpgt_epi16(_mm256_set1_epi16(64), place));
  if (_mm256_movemask_epi8(_mm256_or_si256(inside, zero)) != -1) [[unlikely]]
    return list_any<32>(levels, scale, min, pass);
  pairs.used = true;
  const __m256i sign = _mm256_slli_epi16(_mm256_srli_epi16(leading, 13), 6);
  const __m256i code = _mm256_or_si256(_mm256_andnot_si256(zero, place), sign);
  const __m128i table = _mm_packus_epi16(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
  // In halves, as some decoders store them: a load across two stores would wait for both.
  const __m128i low_codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
  const __m128i high_codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + 16));
  const __m256i found =
      _mm256_set_m128i(_mm_shuffle_epi8(table, high_codes), _mm_shuffle_epi8(table, low_codes));
  const __m256i pair = _mm256_maddubs_epi16(_mm256_set1_epi16(static_cast<int16_t>(0x8001)), found);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs.take(16)), pair);
}

// Level of code k at the place whose result the packing of list_sixteen puts at byte k.
template <class Level>
struct Sixteen {
  double order[16];
  explicit constexpr Sixteen(Level level) : order() {
    for (int k = 0; k < 16; k++) {
      // Byte k is word k of `leading`; lane k / 8, of it dword k % 8 / 4 from low or high, and so on back.
      const int lane = k / 8, source = k % 8 / 4, dword = k % 4;
      order[8 * source + 4 * (dword / 2) + 2 * lane + dword % 2] = level(k);
    }
  }
};
#endif

// A scale or min that is no number makes none of any element.
template <size_t kSize>
void count_specials(const int8_t* levels, double scale, double min, BlockPass& pass) {
  for (size_t i = 0; i < kSize; i++) {
    const double x = scale * levels[i] - min;
    (x != x ? pass.nan : x > 0 ? pass.pos_inf : pass.neg_inf)++;
  }
}

template <size_t kSize>
void widen_extremes(const int8_t* levels, double scale, double min, BlockPass& pass) {
  for (size_t i = 0; i < kSize; i++) {
    const double x = scale * levels[i] - min;
    if (x < pass.min) pass.min = x;
    if (x > pass.max) pass.max = x;
  }
}

template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void list_magnitudes([[maybe_unused]] const uint8_t* codes, const int8_t* levels,
                                     double scale, double min, BlockPass& pass) {
#ifdef STEELYARD_AVX2
  if constexpr (quants_of(kDtype) == Quants::kNibbles) {
    static constexpr Sixteen kLevels([](int code) -> double {
      if (kDtype == Dtype::MXFP4) return kF4Levels[code];
      return kHigh - kLow == 15 ? code + kLow : kIq4Levels[code];
    });
    return list_sixteen(codes, levels, kLevels.order, scale, min, pass);
  } else if constexpr (!has_min(kDtype)) {
    return list_products<kSize, std::max(-kLow, kHigh)>(levels, scale, pass);
  }
#endif
  list_any<kSize>(levels, scale, min, pass);
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

// kSize: elements of a sub-block.
template <Dtype kDtype, size_t kSize, int kLow, int kHigh>
STEELYARD_LANES void pass_blocks(const uint8_t* data, size_t blocks, BlockPass& pass) {
  constexpr DtypeRow kShape = kDtypes[static_cast<size_t>(kDtype)];
  constexpr size_t kCount = kShape.block_count;
  pass.subs.size = kSize;
  Decoded block;
  for (; blocks > 0; blocks--, data += kShape.block_size) {
    decode<kDtype>(data, block);
    for (size_t sub = 0; sub < kCount / kSize; sub++) {
      add_sub_block<kDtype, kSize, kLow, kHigh>(block.codes + kSize * sub, block.levels + kSize * sub,
                                                block.scales[sub], block.mins[sub], pass);
    }
    if constexpr (has_extreme(kDtype)) {
      uint8_t reached = 0;  // a byte, and no branch, so that compilers make vectors of this
      for (size_t i = 0; i < kCount; i++) {
        const uint8_t code = block.codes[i];
        const bool extreme = kDtype == Dtype::Q8_0 ? (code == 127) | (code == 129) : code == 0;
        reached |= static_cast<uint8_t>(extreme ? 0xff : 0);
      }
      pass.at_extreme += reached & 1;
    }
    if (pass.rows != nullptr) add_rows(block, kCount, kSize, *pass.rows);
    if constexpr (quants_of(kDtype) == Quants::kPairs) {
      uint16_t* out = pass.pairs.take(kCount / 2);
      for (size_t i = 0; i < kCount / 2; i++)
        out[i] =
            static_cast<uint16_t>(PairList::kQuants + (block.codes[i] | block.codes[kCount / 2 + i] << 6));
    } else {
      constexpr size_t kQuantSize = quants_of(kDtype) == Quants::kBytes ? kCount : kCount / 2;
      for (size_t i = 0; i < kShape.block_size - kQuantSize; i++) pass.other_bytes[data[i]]++;
    }
    pass.elements += kCount;
    if (pass.elements == kSweepBlock) pass.close();
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
      fourth[SubBlocks::kMax], weights[SubBlocks::kMax];
  const double size = static_cast<double>(subs.size), inverse = 1 / size;
  Doubles sum[V::kParts] = {}, l1[V::kParts] = {}, squares[V::kParts] = {};
  for (size_t at = 0; at < whole; at += kLanes) {
#pragma GCC unroll 4
    for (size_t part = 0; part < V::kParts; part++) {
      const size_t j = at + part * V::kWidth;
      typename V::Ints whole_sums[4];
      Doubles s[4], scale, min, l1_j, weight;
      for (size_t k = 0; k < 4; k++) {
        load(whole_sums[k], &subs.sums[k][j]);
        s[k] = __builtin_convertvector(whole_sums[k], Doubles);
      }
      load(scale, &subs.scales[j]);
      load(min, &subs.mins[j]);
      load(l1_j, &subs.l1[j]);
      for (size_t lane = 0; lane < V::kWidth; lane++) weights[j + lane] = j + lane < subs.count ? size : 0;
      load(weight, &weights[j]);
      const Doubles s1 = s[0], s2 = s[1], s3 = s[2], s4 = s[3] + 16384 * s2;
      const Doubles mean = s1 * inverse;
      const Doubles c2 = s2 - s1 * mean;
      const Doubles c3 = s3 - 3 * mean * s2 + 2 * s1 * mean * mean;
      const Doubles c4 = s4 - 4 * mean * s3 + 6 * mean * mean * s2 - 3 * s1 * mean * mean * mean;
      const Doubles scale2 = scale * scale, total = scale * s1 - weight * min, x = total * inverse;
      const Doubles v2 = scale2 * c2, v3 = scale2 * scale * c3, v4 = scale2 * scale2 * c4;
      std::memcpy(&means[j], &x, sizeof x);
      std::memcpy(&second[j], &v2, sizeof v2);
      std::memcpy(&third[j], &v3, sizeof v3);
      std::memcpy(&fourth[j], &v4, sizeof v4);
      sum[part] += total;
      l1[part] += l1_j;
      squares[part] += v2 + weight * x * x;
    }
  }
  const double n = size * static_cast<double>(subs.count), mean = sum_of(sum) / n;
  Doubles m2[V::kParts] = {}, m3[V::kParts] = {}, m4[V::kParts] = {};
  for (size_t at = 0; at < whole; at += kLanes) {
#pragma GCC unroll 4
    for (size_t part = 0; part < V::kParts; part++) {
      const size_t j = at + part * V::kWidth;
      Doubles x, v2, v3, v4, weight;
      load(x, &means[j]);
      load(v2, &second[j]);
      load(v3, &third[j]);
      load(v4, &fourth[j]);
      load(weight, &weights[j]);
      const Doubles a = x - mean, a2 = a * a;
      m2[part] += v2 + weight * a2;
      m3[part] += v3 + 3 * a * v2 + weight * a2 * a;
      m4[part] += v4 + 4 * a * v3 + 6 * a2 * v2 + weight * a2 * a2;
    }
  }
  out.l1 = sum_of(l1);
  out.squares = sum_of(squares);
  out.moments = {n, mean, sum_of(m2), sum_of(m3), sum_of(m4)};
}

}  // namespace
}  // namespace steelyard
