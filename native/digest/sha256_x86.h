// SHA-256 rounds with the x86 SHA extensions (Intel SDM vol. 2, SHA256RNDS2 / SHA256MSG1 / SHA256MSG2). These
// instructions have no VEX form: where the upper halves of AVX registers are dirty they become many times
// slower, so whatever is woven in keeps to SSE and integers, and AVX code ends with VZEROUPPER.
#pragma once
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "digest/sha256.h"

#define STEELYARD_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define STEELYARD_SHA_INLINE STEELYARD_SHA inline __attribute__((always_inline))

namespace steelyard {

// The state as the instructions want it: words A,B,E,F and C,D,G,H.
struct ShaState {
  __m128i abef, cdgh;
};

STEELYARD_SHA_INLINE ShaState load_state(const uint32_t state[8]) {
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state));
  const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1), efgh = _mm_shuffle_epi32(hgfe, 0x1B);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

STEELYARD_SHA_INLINE void store_state(uint32_t state[8], const ShaState& s) {
  const __m128i feba = _mm_shuffle_epi32(s.abef, 0x1B), dchg = _mm_shuffle_epi32(s.cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

STEELYARD_SHA_INLINE void load_block(__m128i w[4], const uint8_t* data) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  for (int i = 0; i < 4; i++)
    w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + i), big_endian);
}

// The hardware's own prefetch stops at the end of a page, and a mapped file has pages of 4 KiB that lie
// anywhere: without this the rounds waited for memory two fifths of the time. Never faults.
STEELYARD_SHA_INLINE void prefetch(const uint8_t* data) {
  _mm_prefetch(reinterpret_cast<const char*>(data + 4096), _MM_HINT_T0);
}

// Words plus constants for rounds 4i to 4i + 3.
STEELYARD_SHA_INLINE __m128i round_words(const __m128i w[4], int i) {
  return _mm_add_epi32(w[i & 3], _mm_load_si128(reinterpret_cast<const __m128i*>(kSha256Rounds) + i));
}

STEELYARD_SHA_INLINE void four_rounds(ShaState& s, __m128i words) {
  s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, words);
  s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(words, 0x0E));
}

// The message schedule, after rounds 4i to 4i + 3: w[t] from w[t-2], w[t-7], w[t-15], w[t-16].
STEELYARD_SHA_INLINE void schedule(__m128i w[4], int i) {
  if (i >= 3 && i < 15) {
    const __m128i seventh = _mm_alignr_epi8(w[i & 3], w[(i + 3) & 3], 4);
    w[(i + 1) & 3] = _mm_sha256msg2_epu32(_mm_add_epi32(w[(i + 1) & 3], seventh), w[i & 3]);
  }
  if (i >= 1 && i < 13) w[(i + 3) & 3] = _mm_sha256msg1_epu32(w[(i + 3) & 3], w[i & 3]);
}

STEELYARD_SHA_INLINE void add_state(ShaState& s, const ShaState& before) {
  s.abef = _mm_add_epi32(s.abef, before.abef);
  s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
}

}  // namespace steelyard
#endif
