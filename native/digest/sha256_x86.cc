// SHA-256 of one message with the x86 SHA extensions.
#include "digest/sha256_x86.h"

#if defined(__x86_64__)

namespace steelyard {

STEELYARD_SHA void sha256_x86(uint32_t state[8], const uint8_t* data, size_t blocks) {
  ShaState s = load_state(state);
  for (; blocks > 0; blocks--, data += 64) {
    const ShaState before = s;
    __m128i w[4];
    load_block(w, data);
    prefetch(data);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      four_rounds(s, round_words(w, i));
      schedule(w, i);
    }
    add_state(s, before);
  }
  store_state(state, s);
}

}  // namespace steelyard
#endif
