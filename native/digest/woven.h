// Digests and counts in one instruction stream. A core that hashes with SHA instructions waits for their
// latency, or for the one unit that executes them; increments of a histogram fit into the slots in between.
#pragma once
#include <cstddef>
#include <cstdint>

namespace steelyard {

// What is counted, in steps of 64 bytes.
enum class Count : uint8_t {
  kNothing,
  kBytes,   // 64 bytes into four tables of 256 bins, byte i into table i % 4
  kCodes,   // 32 codes of 16 bits into 65,536 bins
  kFloats,  // 16 words of 32 bits: leading 16 bits into 65,536 bins, then byte 0 and byte 1 into 256 each
  kPairs,   // as kBytes, and beside it 64 listed codes into two tables of kPairBins bins, code i into table i
            // % 2
};
inline constexpr size_t kPairBins = (1 << 14) + (1 << 12);

struct Tally {
  Count count = Count::kNothing;
  size_t size = 0;  // bytes, in whole units
  const uint8_t* bytes = nullptr;
  uint32_t* bins = nullptr;
  size_t pair_count = 0;
  const uint16_t* pairs = nullptr;
  uint32_t* pair_bins = nullptr;

  size_t steps() const;
  // Leaves out the first steps. kPairs becomes kBytes when no whole step of pairs is left.
  void advance(size_t steps);
  void finish_pairs();
};

// Counts without hashing, to the last byte.
void count(Tally tally);

// One message: its state and the next of its blocks.
struct Stream {
  uint32_t* state;
  const uint8_t* data;
};

// Folds `blocks` blocks of each of `count` (1 or 2) streams, and counts as many steps of the tally unless it
// counts nothing.
using Weave = void (*)(const Stream* streams, size_t count, size_t blocks, const Tally& tally);

void weave_x86(const Stream* streams, size_t count, size_t blocks, const Tally& tally);
// One after the other, for kernels that have no woven loop.
void weave_portable(const Stream* streams, size_t count, size_t blocks, const Tally& tally);
void weave_arm(const Stream* streams, size_t count, size_t blocks, const Tally& tally);

}  // namespace steelyard
