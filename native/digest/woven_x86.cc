// One or two messages and a histogram in one loop. Measured on a Sapphire Rapids class Xeon: SHA256RNDS2 has
// a latency of 4 cycles and occupies its unit for 3, so a second message costs 1.4 to 1.6 times the first
// alone and leaves room for well over a hundred increments per block; one message leaves room for about 64.
#include "digest/sha256_x86.h"
#include "digest/tally.h"
#include "digest/woven.h"

#if defined(__x86_64__)

namespace steelyard {
namespace {

// kShared: both messages have the same bytes in this block (file and tensor agree modulo 64), so the second
// one needs no message schedule of its own.
template <size_t kStreams, bool kShared, Count kCount>
STEELYARD_SHA void weave_blocks(const Stream* streams, size_t blocks, const Tally& tally) {
  constexpr size_t kSchedules = kShared ? 1 : kStreams;
  ShaState s[kStreams];
  const uint8_t* data[kStreams];
  for (size_t n = 0; n < kStreams; n++) {
    s[n] = load_state(streams[n].state);
    data[n] = streams[n].data;
  }
  const uint8_t* bytes = tally.bytes;
  const uint16_t* pairs = tally.pairs;
  uint32_t *bins = tally.bins, *pair_bins = tally.pair_bins;

  for (; blocks > 0; blocks--) {
    ShaState before[kStreams];
    __m128i w[kSchedules][4];
    for (size_t n = 0; n < kStreams; n++) before[n] = s[n];
    for (size_t n = 0; n < kSchedules; n++) load_block(w[n], data[n]);
    prefetch(data[0]);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      __m128i words = round_words(w[0], i);
      four_rounds(s[0], words);
      schedule(w[0], i);
      if constexpr (kStreams == 2) {
        if constexpr (!kShared) words = round_words(w[1], i);
        four_rounds(s[1], words);
        if constexpr (!kShared) schedule(w[1], i);
      }
      if constexpr (kCount != Count::kNothing) {
        if (i % 2 == 0) count_part<kCount>(i / 2, bytes, bins, pairs, pair_bins);
      }
    }
    for (size_t n = 0; n < kStreams; n++) {
      add_state(s[n], before[n]);
      data[n] += 64;
    }
    if constexpr (kCount != Count::kNothing) bytes += 64;
    if constexpr (kCount == Count::kPairs) pairs += 64;
  }
  for (size_t n = 0; n < kStreams; n++) store_state(streams[n].state, s[n]);
}

template <size_t kStreams, bool kShared>
void weave_counting(const Stream* streams, size_t blocks, const Tally& tally) {
  switch (tally.count) {
    case Count::kNothing:
      return weave_blocks<kStreams, kShared, Count::kNothing>(streams, blocks, tally);
    case Count::kBytes:
      return weave_blocks<kStreams, kShared, Count::kBytes>(streams, blocks, tally);
    case Count::kCodes:
      return weave_blocks<kStreams, kShared, Count::kCodes>(streams, blocks, tally);
    case Count::kFloats:
      return weave_blocks<kStreams, kShared, Count::kFloats>(streams, blocks, tally);
    case Count::kPairs:
      return weave_blocks<kStreams, kShared, Count::kPairs>(streams, blocks, tally);
  }
}

}  // namespace

void weave_x86(const Stream* streams, size_t count, size_t blocks, const Tally& tally) {
  if (count == 1) return weave_counting<1, false>(streams, blocks, tally);
  if (streams[0].data == streams[1].data) return weave_counting<2, true>(streams, blocks, tally);
  weave_counting<2, false>(streams, blocks, tally);
}

}  // namespace steelyard
#endif
