// Scales of all block types; quants and values of those that are decoded (decode.h).
#include "counts/blocks/quantized.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace steelyard {
namespace {

uint16_t load16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] | p[1] << 8);
}

// IQ1_M: a 16-bit float in the high nibbles of four 16-bit words.
uint32_t scattered_code(const uint8_t* block) {
  uint32_t code = 0;
  for (int i = 0; i < 4; i++) code |= static_cast<uint32_t>(load16(block + 48 + 2 * i) >> 12) << (4 * i);
  return code;
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

// Takes the codes that were counted, and their bytes out of the histogram of all bytes.
ScaleStats take_scales(const CodeKernel& kernel, CodeHistogram& codes, const CodeFormat& format,
                       uint64_t bytes[256]) {
  const CodeCounts counted = codes.take(format.codes());
  for (size_t i = 0; i < counted.size; i++) {
    bytes[counted.codes[i] & 255] -= counted.counts[i];
    if (format.bits == 16) bytes[counted.codes[i] >> 8] -= counted.counts[i];
  }
  return scale_stats(kernel, format, counted);
}

}  // namespace

bool has_rows(Dtype dtype) {
  if (dtype == Dtype::C64 || row(dtype).method == Method::kBytes) return false;
  return row(dtype).method != Method::kBlocks || traits_of(dtype).codes > 0;
}

void BlockCounts::begin(Dtype dtype, bool small, Rows* rows) {
  dtype_ = dtype;
  small_ = small;
  blocks_ = 0;
  pass_.rows = rows;
  pass_.totals.begin();
  pass_.zero = pass_.nan = pass_.pos_inf = pass_.neg_inf = pass_.at_extreme = 0;
  pass_.min = HUGE_VAL;
  pass_.max = -HUGE_VAL;
  std::memset(pass_.other_bytes, 0, sizeof pass_.other_bytes);
  std::memset(quants_, 0, sizeof quants_);
}

Tally BlockCounts::offer(const uint8_t* data, size_t size, ByteCounts& bytes) {
  Tally tally{.count = Count::kBytes, .size = size, .bytes = data, .bins = bytes.bins(size)};
  const size_t blocks = size / row(dtype_).block_size;
  blocks_ += blocks;
  if (quants_of(dtype_) != Quants::kNone) list_pairs(data, blocks, tally);
  count_scales(data, size);
  return tally;
}

void BlockCounts::list_pairs(const uint8_t* data, size_t blocks, Tally& tally) {
  const DtypeRow& shape = row(dtype_);
  PairList& pairs = pass_.pairs;
  // A window that misses one sub-block in 32 is better moved, and bins are emptied before they overflow.
  if (pairs.missed * 32 * 32 > blocks * shape.block_count || pairs_ >= uint64_t{1} << 31) fold_pairs();
  pairs.missed = 0;
  pairs.count = 0;
  pairs.codes.resize(std::max(pairs.codes.size(), blocks * shape.block_count));
  kernel_.blocks.pass(dtype_, data, blocks, pass_);
  pairs_ += pairs.count;
  tally.count = Count::kPairs;
  tally.pairs = pairs.codes.data();
  tally.pair_count = pairs.count;
  tally.pair_bins = pair_bins_.data();
}

void BlockCounts::count_scales(const uint8_t* data, size_t size) {
  const BlockTraits traits = traits_of(dtype_);
  const auto word_at = [](int at) { return [at](const uint8_t* block) { return load16(block + at); }; };
  const auto byte_at = [](int at) { return [at](const uint8_t* block) { return block[at]; }; };
  if (traits.scale_at >= 0) count_codes(scales_, data, size, word_at(traits.scale_at));
  if (traits.min_at >= 0) count_codes(mins_, data, size, word_at(traits.min_at));
  if (dtype_ == Dtype::MXFP4) count_codes(scales_, data, size, byte_at(0));
  for (int i = 0; i < 4 && dtype_ == Dtype::NVFP4; i++) count_codes(scales_, data, size, byte_at(i));
  if (dtype_ == Dtype::IQ1_M) count_codes(scales_, data, size, scattered_code);
}

template <class CodeOf>
void BlockCounts::count_codes(CodeHistogram& codes, const uint8_t* data, size_t size, CodeOf code_of) {
  const size_t step = row(dtype_).block_size;
  for (const uint8_t *block = data, *end = data + size; block < end; block += step) {
    const uint32_t code = code_of(block);
    codes.count(code);
    if (small_) codes.reach(code);
  }
}

// Hands on what was counted for this window, and lets it move.
void BlockCounts::fold_pairs() {
  uint64_t places[128] = {};
  for (size_t first = 0; first < pair_bins_.size(); first += 8) {
    uint64_t pairs[4];
    std::memcpy(pairs, &pair_bins_[first], sizeof pairs);
    if ((pairs[0] | pairs[1] | pairs[2] | pairs[3]) == 0) continue;
    for (size_t bin = first; bin < first + 8; bin++) {
      const size_t pair = bin % kPairBins;
      const uint64_t count = pair_bins_[bin];
      pair_bins_[bin] = 0;
      if (pair < PairList::kQuants) {
        places[pair & 127] += count;
        places[pair >> 7] += count;
      } else {
        quants_[pair & 63] += count;
        quants_[pair >> 6 & 63] += count;
      }
    }
  }
  for (unsigned place = 0; place < 128; place++) {
    if (places[place] == 0 || place % 64 == 0) continue;  // zeros
    const auto leading = static_cast<uint64_t>(pass_.pairs.first) + place % 64;
    const auto sign = static_cast<uint64_t>(place / 64);
    pass_.magnitudes.add(std::bit_cast<double>(sign << 63 | leading << 50), places[place]);
  }
  pairs_ = 0;
  pass_.pairs.used = false;
}

// Codes as stored; those in the bytes' histogram are what is left of it without the other bytes.
std::vector<uint64_t> BlockCounts::take_quants(const uint64_t bytes[256]) {
  const Quants quants = quants_of(dtype_);
  std::vector<uint64_t> counts(traits_of(dtype_).codes);
  for (size_t byte = 0; byte < 256 && quants != Quants::kPairs; byte++) {
    uint64_t count = bytes[byte];
    for (const auto& others : pass_.other_bytes) count -= others[byte];
    if (quants == Quants::kBytes) {
      counts[byte] += count;
    } else {
      counts[byte & 15] += count;
      counts[byte >> 4] += count;
    }
  }
  if (quants == Quants::kPairs) counts.assign(quants_, quants_ + counts.size());
  return counts;
}

void BlockCounts::finish_values(Stats& stats) {
  if (pass_.elements > 0) pass_.close();
  fold_pairs();
  stats.has_values = true;
  stats.zero = pass_.zero;  // elements have no codes of their own, so no sign on zero
  stats.nan = pass_.nan;
  stats.pos_inf = pass_.pos_inf;
  stats.neg_inf = pass_.neg_inf;
  pass_.totals.write(stats);
  pass_.magnitudes.finish(stats.negative, stats.positive);
}

void BlockCounts::finish(Stats& stats, ByteCounts& bytes) {
  uint64_t byte_counts[256];
  bytes.take(byte_counts);
  stats.byte_entropy = {Entropy(kernel_.codes, blocks_ * row(dtype_).block_size).of(byte_counts, 256)};
  const BlockTraits traits = traits_of(dtype_);
  QuantizedStats& quantized = stats.quantized;
  quantized.present = true;
  quantized.blocks = blocks_;
  quantized.scales = take_scales(kernel_.codes, scales_, scale_format(dtype_), byte_counts);
  if (traits.min_at >= 0) quantized.mins = take_scales(kernel_.codes, mins_, kF16Codes, byte_counts);
  if (quants_of(dtype_) == Quants::kNone) return;
  finish_values(stats);
  quantized.quants = take_quants(byte_counts);
  quantized.quants_entropy =
      Entropy(kernel_.codes, stats.count).of(quantized.quants.data(), quantized.quants.size());
  if (has_extreme(dtype_)) quantized.blocks_at_extreme = static_cast<double>(pass_.at_extreme);
}

}  // namespace steelyard
