// A linear sketch: the product of a matrix with 16 columns of random signs. Sketches of two matrices differ
// by the sketch of their difference, so a profile that holds one can say of what rank a change is, without
// the file (Tropp et al. 2017, "Practical sketching algorithms for low-rank matrix approximation").
#pragma once
#include <cstdint>

namespace steelyard {

constexpr unsigned kSketchColumns = 16;

// Bit k is set where column k of row `index` of the sign matrix is −1. Counter-based, so that any part of a
// matrix can be sketched on its own: the finalizer of SplitMix64 (Steele, Lea, Flood 2014) of a counter.
inline uint16_t sketch_signs(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<uint16_t>((z ^ (z >> 31)) >> 48);
}

}  // namespace steelyard
