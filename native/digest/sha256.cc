// SHA-256: buffering, padding, and the portable compression function (FIPS 180-4, 6.2).
#include "digest/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace steelyard {

size_t Sha256::align(const uint8_t* data, size_t size) {
  if (pending_size_ == 0) return 0;
  const size_t taken = std::min(size, sizeof pending_ - pending_size_);
  std::memcpy(pending_ + pending_size_, data, taken);
  total_ += taken;
  pending_size_ += taken;
  if (pending_size_ == sizeof pending_) {
    kernel_(state_, pending_, 1);
    pending_size_ = 0;
  }
  return taken;
}

void Sha256::update(const uint8_t* data, size_t size) {
  const size_t taken = align(data, size);
  data += taken;
  size -= taken;
  if (size == 0) return;
  const size_t blocks = size / sizeof pending_;
  if (blocks > 0) kernel_(state_, data, blocks);
  total_ += size;
  pending_size_ = size - blocks * sizeof pending_;
  if (pending_size_ > 0) std::memcpy(pending_, data + blocks * sizeof pending_, pending_size_);
}

void Sha256::finish(uint8_t digest[32]) {
  uint8_t padded[128] = {};
  if (pending_size_ > 0) std::memcpy(padded, pending_, pending_size_);
  padded[pending_size_] = 0x80;
  size_t size = pending_size_ < 56 ? 64 : 128;
  uint64_t bits = total_ * 8;
  for (size_t i = 0; i < 8; i++) padded[size - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  kernel_(state_, padded, size / 64);
  for (size_t i = 0; i < 32; i++) digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  reset();
}

void Sha256::reset() {
  std::copy(kInitial, kInitial + 8, state_);
  pending_size_ = 0;
  total_ = 0;
}

void sha256_portable(uint32_t state[8], const uint8_t* data, size_t blocks) {
  for (; blocks > 0; blocks--, data += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) {
      w[i] = uint32_t{data[4 * i]} << 24 | uint32_t{data[4 * i + 1]} << 16 | uint32_t{data[4 * i + 2]} << 8 |
             uint32_t{data[4 * i + 3]};
    }
    for (int i = 16; i < 64; i++) {
      uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
      uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
      uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + kSha256Rounds[i] + w[i];
      uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

}  // namespace steelyard
