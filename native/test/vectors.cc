// Kernels without Node: NIST vectors, and every kernel that this CPU can run against the portable one. Small
// enough to run under an emulator or a sanitizer.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "counts/dispatch.h"

using steelyard::Kernel;
using steelyard::Sha256;

namespace {

int failures = 0;

std::string digest(const Kernel& kernel, const uint8_t* data, size_t size, size_t piece) {
  Sha256 sha(kernel.sha256);
  for (size_t at = 0; at < size; at += piece) sha.update(data + at, piece < size - at ? piece : size - at);
  uint8_t bytes[32];
  sha.finish(bytes);
  std::string hex;
  char pair[3];
  for (uint8_t byte : bytes) {
    std::snprintf(pair, sizeof pair, "%02x", byte);
    hex += pair;
  }
  return hex;
}

void expect(const Kernel& kernel, const char* what, const std::string& actual, const std::string& expected) {
  if (actual == expected) return;
  failures++;
  std::printf("%s: %s: %s, expected %s\n", kernel.name, what, actual.c_str(), expected.c_str());
}

// FIPS 180-4 examples (NIST, SHA256.pdf), and one million times "a".
void check_nist(const Kernel& kernel) {
  const struct {
    std::string message;
    const char* digest;
  } vectors[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& [message, expected] : vectors) {
    const auto* data = reinterpret_cast<const uint8_t*>(message.data());
    for (size_t piece : {size_t{7}, size_t{64}, size_t{1} << 20}) {
      expect(kernel, "NIST vector", digest(kernel, data, message.size(), piece), expected);
    }
  }
}

// All lengths around block edges at all alignments, painted with a period that is no power of two.
void check_against_portable(const Kernel& kernel) {
  const Kernel& portable = steelyard::kKernels[steelyard::kKernelCount - 1];
  std::vector<uint8_t> bytes(400);
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(i % 251);
  for (size_t size = 0; size <= 200; size++) {
    for (size_t offset = 0; offset < 64; offset += size % 7 + 1) {
      const uint8_t* data = bytes.data() + offset;
      expect(kernel, "against portable", digest(kernel, data, size, 1 + size % 130),
             digest(portable, data, size, 400));
    }
  }
}

constexpr size_t kSteps = 5, kBins = 65536 + 512;

struct Woven {
  uint32_t states[2][8] = {};
  std::vector<uint32_t> bins = std::vector<uint32_t>(kBins),
                        pair_bins = std::vector<uint32_t>(2 * steelyard::kPairBins);
  bool operator==(const Woven&) const = default;
};

Woven weave(const Kernel& kernel, const uint8_t* data, size_t streams, size_t offset, size_t blocks,
            steelyard::Count count, const uint16_t* pairs) {
  Woven woven;
  const steelyard::Stream both[] = {{woven.states[0], data}, {woven.states[1], data + offset}};
  const steelyard::Tally tally = {.count = count,
                                  .size = 64 * kSteps,
                                  .bytes = data + 3,
                                  .bins = woven.bins.data(),
                                  .pair_count = 64 * kSteps,
                                  .pairs = pairs,
                                  .pair_bins = woven.pair_bins.data()};
  kernel.weave(both, streams, blocks, tally);
  return woven;
}

// One and two messages, with the same bytes and shifted ones, counting all there is to count.
void check_weaves(const Kernel& kernel) {
  using steelyard::Count;
  const Kernel& portable = steelyard::kKernels[steelyard::kKernelCount - 1];
  std::vector<uint8_t> bytes(64 * kSteps + 128);
  std::vector<uint16_t> pairs(64 * kSteps);
  // Equal neighbours have a path of their own.
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(i < 150 ? i % 251 : 7);
  for (size_t i = 0; i < pairs.size(); i++)
    pairs[i] = static_cast<uint16_t>(i * i * 31 % steelyard::kPairBins);
  for (Count count : {Count::kNothing, Count::kBytes, Count::kCodes, Count::kFloats, Count::kPairs}) {
    for (size_t blocks = 0; blocks <= kSteps; blocks++) {
      for (size_t streams : {size_t{1}, size_t{2}}) {
        for (size_t offset : {size_t{0}, size_t{8}, size_t{63}}) {
          const auto run = [&](const Kernel& by) {
            return weave(by, bytes.data(), streams, offset, blocks, count, pairs.data());
          };
          if (run(kernel) == run(portable)) continue;
          failures++;
          std::printf("%s: woven count %d: %zu streams, offset %zu, %zu blocks\n", kernel.name,
                      static_cast<int>(count), streams, offset, blocks);
        }
      }
    }
  }
}

}  // namespace

int main() {
  for (size_t i = 0; i < steelyard::kKernelCount; i++) {
    const Kernel& kernel = steelyard::kKernels[i];
    if (!kernel.usable()) {
      std::printf("%s: this CPU cannot run it\n", kernel.name);
      continue;
    }
    check_nist(kernel);
    check_against_portable(kernel);
    check_weaves(kernel);
    std::printf("%s: checked\n", kernel.name);
  }
  return failures == 0 ? 0 : 1;
}
