// libFuzzer target: any bytes as two tensors of any decoded dtypes. The law: no report from the sanitizers,
// the same record whether the bytes are mapped or read, and nothing changed between a tensor and itself.
#include <numeric>

#include "difference/difference.h"
#include "fuzz_ranges.h"

using namespace steelyard;

namespace {

constexpr size_t kChangedSlot = 1;

std::vector<Dtype> decoded_dtypes() {
  std::vector<Dtype> decoded;
  for (size_t i = 0; i < kDtypeCount; i++)
    if (has_rows(static_cast<Dtype>(i))) decoded.push_back(static_cast<Dtype>(i));
  return decoded;
}

std::vector<uint64_t> bits_of(const PairMeasurement& result) {
  if (result.outcome != Outcome::kDone) std::abort();
  std::vector<uint64_t> bits(result.record.size() / sizeof(uint64_t));
  result.record.copy_to(bits.data());
  return bits;
}

// Both passes over the pair.
std::vector<uint64_t> measured(Pair pair, Io io) {
  pair.io = io;
  std::vector<uint64_t> bits = bits_of(measure_difference(pair, 7));
  if (pair.columns == 0) return bits;
  constexpr unsigned kRank = 2;
  const std::vector<double> basis(kRank * (pair.count / pair.columns), 0.5);
  const std::vector<uint64_t> product = bits_of(project_difference(pair, basis.data(), kRank));
  bits.insert(bits.end(), product.begin(), product.end());
  return bits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Dtype> dtypes = decoded_dtypes();
  if (size < 4) return 0;
  const Dtype sides[2] = {dtypes[data[0] % dtypes.size()], dtypes[data[1] % dtypes.size()]};
  // The same bytes twice, as one dtype or two, or the halves of them.
  const bool apart = data[2] >= 128;
  const uint64_t columns = data[2] % 128;
  // Now and then a piece lies across the edge of a chunk.
  const uint64_t lead = data[3] >= 0xe0 ? Window::kChunkSize - data[3] : data[3];
  data += 4, size -= 4;

  Pair pair = {};
  pair.columns = columns;
  const uint64_t each = apart ? size / 2 : size;
  uint64_t step = std::max<uint64_t>(columns, 1);
  pair.count = UINT64_MAX;
  const int fd = fuzz::file_of(data, size, lead);
  for (size_t i = 0; i < 2; i++) {
    const DtypeRow& traits = row(sides[i]);
    pair.sides[i] = {fd, lead + size, lead + (i == 1 ? size - each : 0), sides[i]};
    pair.count = std::min(pair.count, each / traits.block_size * traits.block_count);
    step = std::lcm(step, uint64_t{traits.block_count});
  }
  pair.count -= pair.count % step;
  if (invalid(pair) != nullptr) std::abort();

  const std::vector<uint64_t> expected = measured(pair, Io::kPread);
  if (measured(pair, Io::kMmap) != expected) std::abort();
  if (!apart && sides[0] == sides[1] && expected[kChangedSlot] != 0) std::abort();
  close(fd);
  return 0;
}
