// Plain loops: what the woven ones must equal.
#include "digest/woven.h"

#include <algorithm>

#include "digest/sha256.h"
#include "digest/tally.h"

namespace steelyard {
namespace {

template <Count kCount>
void count_steps(const Tally& tally, size_t steps) {
  const uint8_t* bytes = tally.bytes;
  const uint16_t* pairs = tally.pairs;
  for (size_t step = 0; step < steps; step++, bytes += 64) {
    for (int part = 0; part < 8; part++) count_part<kCount>(part, bytes, tally.bins, pairs, tally.pair_bins);
    if constexpr (kCount == Count::kPairs) pairs += 64;
  }
}

void count_steps(const Tally& tally, size_t steps) {
  switch (tally.count) {
    case Count::kNothing:
      return;
    case Count::kBytes:
      return count_steps<Count::kBytes>(tally, steps);
    case Count::kCodes:
      return count_steps<Count::kCodes>(tally, steps);
    case Count::kFloats:
      return count_steps<Count::kFloats>(tally, steps);
    case Count::kPairs:
      return count_steps<Count::kPairs>(tally, steps);
  }
}

// Less than a step, its bytes filled up with zeros that are taken back.
void count_rest(const Tally& tally) {
  uint8_t step[64] = {};
  std::memcpy(step, tally.bytes, tally.size);
  Tally filled = tally;
  filled.bytes = step;
  count_steps(filled, 1);
  const auto left = static_cast<uint32_t>(64 - tally.size);
  uint32_t* bins = tally.bins;
  if (tally.count == Count::kCodes) bins[0] -= left / 2;
  if (tally.count == Count::kFloats) {
    for (size_t table : {0, 65536, 65536 + 256}) bins[table] -= left / 4;
  }
  if (tally.count == Count::kBytes) {
    for (size_t i = tally.size; i < 64; i++) bins[256 * (i % 4)]--;
  }
}

void hash_then_count(Sha256Kernel hash, const Stream* streams, size_t count, size_t blocks,
                     const Tally& tally) {
  for (size_t i = 0; i < count; i++) hash(streams[i].state, streams[i].data, blocks);
  count_steps(tally, blocks);
}

}  // namespace

size_t Tally::steps() const {
  if (count == Count::kNothing) return 0;
  return count == Count::kPairs ? std::min(size, pair_count) / 64 : size / 64;
}

void Tally::advance(size_t steps) {
  bytes += 64 * steps;
  size -= 64 * steps;
  if (count != Count::kPairs) return;
  pairs += 64 * steps;
  pair_count -= 64 * steps;
  if (pair_count < 64) finish_pairs();
}

void Tally::finish_pairs() {
  for (; pair_count > 0; pair_count--) pair_bins[*pairs++]++;
  count = Count::kBytes;
}

void count(Tally tally) {
  for (;;) {
    while (const size_t steps = tally.steps()) {
      count_steps(tally, steps);
      tally.advance(steps);
    }
    if (tally.count != Count::kPairs) break;
    tally.finish_pairs();
  }
  if (tally.size > 0 && tally.count != Count::kNothing) count_rest(tally);
}

void weave_portable(const Stream* streams, size_t count, size_t blocks, const Tally& tally) {
  hash_then_count(sha256_portable, streams, count, blocks, tally);
}

#if defined(__aarch64__)
void weave_arm(const Stream* streams, size_t count, size_t blocks, const Tally& tally) {
  hash_then_count(sha256_arm, streams, count, blocks, tally);
}
#endif

}  // namespace steelyard
