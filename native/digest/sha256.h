// SHA-256 (FIPS 180-4). The compression function comes as kernels, one file per instruction set; this class
// is the rest.
#pragma once
#include <cstddef>
#include <cstdint>

namespace steelyard {

// Folds `blocks` 64-byte blocks into the state.
using Sha256Kernel = void (*)(uint32_t state[8], const uint8_t* data, size_t blocks);

void sha256_portable(uint32_t state[8], const uint8_t* data, size_t blocks);
// Defined on their own architectures only; dispatch.cc decides whether this CPU may call them.
void sha256_x86(uint32_t state[8], const uint8_t* data, size_t blocks);
void sha256_arm(uint32_t state[8], const uint8_t* data, size_t blocks);

class Sha256 {
 public:
  explicit Sha256(Sha256Kernel kernel) : kernel_(kernel) {}
  void update(const uint8_t* data, size_t size);
  // Writes the 32-byte digest and begins again.
  void finish(uint8_t digest[32]);

  // For loops that fold whole blocks themselves: takes what completes a begun block (all of it, if it does
  // not), says where the state is, and is told what was folded.
  size_t align(const uint8_t* data, size_t size);
  uint32_t* state() { return state_; }
  void folded(size_t blocks) { total_ += 64 * uint64_t{blocks}; }

 private:
  static constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  void reset();

  Sha256Kernel kernel_;
  uint32_t state_[8] = {kInitial[0], kInitial[1], kInitial[2], kInitial[3],
                        kInitial[4], kInitial[5], kInitial[6], kInitial[7]};
  uint8_t pending_[64];
  size_t pending_size_ = 0;
  uint64_t total_ = 0;
};

// Round constants: the first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS
// 180-4, 4.2.2).
alignas(64) inline constexpr uint32_t kSha256Rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

}  // namespace steelyard
