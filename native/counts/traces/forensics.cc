#include "counts/traces/forensics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "counts/codes/entropy.h"

namespace steelyard {
namespace {

// Which bytes of an element a stream takes, in order: payloads lie in one byte of each weight, or in its two
// or three low bytes (EvilModel), in either order.
struct Stream {
  unsigned count;
  uint8_t bytes[3];
};
constexpr Stream kNarrow[] = {{1, {0}}};
constexpr Stream kWide[] = {
    {1, {0}}, {1, {1}}, {1, {2}}, {2, {0, 1}}, {2, {1, 0}}, {3, {0, 1, 2}}, {3, {2, 1, 0}},
};

struct Streams {
  const Stream* of;
  size_t count;
  size_t planes;  // the first ones are single bytes
};

Streams streams_of(Dtype dtype) {
  if (dtype == Dtype::F16 || dtype == Dtype::BF16) return {kNarrow, 1, 1};
  if (dtype == Dtype::F32) return {kWide, std::size(kWide), 3};
  return {nullptr, 0, 0};
}

uint32_t load32(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

bool begins(const uint8_t* p, const char* magic, size_t size) {
  return std::memcmp(p, magic, size) == 0;
}

bool is_lower(uint8_t byte) {
  return (byte >= 'a' && byte <= 'z') || byte == '_';
}

// `p` has kHead bytes. In 10^10 random bytes less than one passes.
bool is_magic(const uint8_t* p) {
  switch (p[0]) {
    case 0x7f:
      return begins(p,
                    "\x7f"
                    "ELF",
                    4) &&
             (p[4] == 1 || p[4] == 2) && (p[5] == 1 || p[5] == 2) && p[6] == 1;
    case 'M': {
      if (p[1] != 'Z') return false;
      const uint32_t header = load32(p + 60);
      return header >= 64 && header <= MagicSearch::kHead - 6 && begins(p + header, "PE\0\0", 4);
    }
    case 0xcf:
      return begins(p, "\xcf\xfa\xed\xfe", 4) && p[13] == 0 && p[14] == 0 && p[15] == 0;
    case 'P':
      return begins(p, "PK\x03\x04", 4) && p[4] <= 63 && p[9] == 0 && p[27] <= 16;
    case '7':
      return begins(p, "7z\xbc\xaf\x27\x1c", 6);
    case 0xfd:
      return begins(p,
                    "\xfd"
                    "7zXZ\0",
                    6);
    case 0x1f:
      return begins(p, "\x1f\x8b\x08", 3) && p[3] <= 31 && (p[8] == 0 || p[8] == 2 || p[8] == 4) &&
             (p[9] <= 13 || p[9] == 255);
    case 0x80:
      // Protocols 4 and 5 begin with a frame; of the older ones, those that import something at once.
      if (p[1] == 4 || p[1] == 5) return p[2] == 0x95 && load32(p + 7) == 0;
      return (p[1] == 2 || p[1] == 3) && p[2] == 'c' && std::all_of(p + 3, p + 7, is_lower);
    default:
      return false;
  }
}

struct FirstBytes {
  bool of[256] = {};
  constexpr FirstBytes() {
    for (uint8_t byte : {0x7f, 0x4d, 0xcf, 0x50, 0x37, 0xfd, 0x1f, 0x80}) of[byte] = true;
  }
};
constexpr FirstBytes kFirst;

// Entropy of 16,384 uniform bytes: its mean and standard deviation.
constexpr double kUniform = 7.9887, kUniformSd = 0.0010;

// The longest run of windows of which `odd` is true; kNone for the entropy if there is none of two.
template <class Odd>
void write_run(Record& record, const std::vector<double>& entropies, const std::vector<uint64_t>& starts,
               Odd odd) {
  size_t best = 0, length = 0, run = 0;
  for (size_t i = 0; i < entropies.size(); i++) {
    run = odd(entropies[i]) ? run + 1 : 0;
    if (run > length) length = run, best = i + 1 - run;
  }
  if (length < 2) length = 0;
  double sum = 0;
  for (size_t i = best; i < best + length; i++) sum += entropies[i];
  record.put(uint64_t{length});
  record.put(length == 0 ? uint64_t{0} : starts[best]);
  record.put(length == 0 ? kNone : sum / static_cast<double>(length));
}

}  // namespace

void PlaneWindows::begin() {
  std::fill(counts_, counts_ + 256, 0);
  filled_ = 0;
  starts_.clear();
  entropies_.clear();
}

void PlaneWindows::close() {
  entropies_.push_back(Entropy(kCodesPortable, kWindow).of(counts_, 256));
  std::fill(counts_, counts_ + 256, 0);
  filled_ = 0;
}

void PlaneWindows::write(Record& record) const {
  std::vector<double> sorted = entropies_;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted.empty() ? kNone : sorted[sorted.size() / 2];
  record.put(uint64_t{entropies_.size()});
  record.put(median);
  // Half a bit and less is one value again and again: padding, and not content.
  write_run(record, entropies_, starts_, [&](double bits) {
    return bits < kUniform - 8 * kUniformSd && bits < median - 0.05 && bits > 0.5;
  });
  write_run(record, entropies_, starts_,
            [&](double bits) { return bits > kUniform - 4 * kUniformSd && bits > median + 0.02; });
}

void MagicSearch::begin() {
  bytes_.clear();
  position_ = 0;
  found_.clear();
}

void MagicSearch::add(const uint8_t* data, size_t size) {
  if (found_.size() == kMost) return;
  bytes_.insert(bytes_.end(), data, data + size);
  if (bytes_.size() >= 16 * kHead) search(bytes_.size() - kHead);
}

// Positions before `end`, each of which has kHead bytes behind it.
void MagicSearch::search(size_t end) {
  for (size_t i = 0; i < end && found_.size() < kMost; i++) {
    const uint8_t* p = bytes_.data() + i;
    if (kFirst.of[*p] && is_magic(p)) found_.push_back({position_ + i, {p, p + kHead}});
  }
  position_ += end;
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(end));
}

void MagicSearch::finish() {
  const size_t left = bytes_.size();
  bytes_.resize(left + kHead);
  search(left);
}

void MagicSearch::write(Record& record, uint64_t stream) const {
  for (const Found& one : found_) {
    record.put(stream);
    record.put(one.at);
    for (size_t i = 0; i < kHead; i += 8) {
      uint64_t slot;
      std::memcpy(&slot, one.head.data() + i, sizeof slot);
      record.put_bits(slot);
    }
  }
}

void Forensics::begin(bool wanted, Dtype dtype) {
  wanted_ = wanted;
  if (!wanted) return;
  dtype_ = dtype;
  elements_ = 0;
  const Streams streams = streams_of(dtype);
  planes_.resize(streams.planes);
  searches_.resize(streams.count + 1);
  for (PlaneWindows& plane : planes_) plane.begin();
  for (MagicSearch& search : searches_) search.begin();
  boundary_[0] = boundary_[1] = 0;
  std::fill(pairs_, pairs_ + 4, kNone);
  odd_nans_ = signalling_nans_ = 0;
}

// In pieces: what is picked out of a window of 64 MiB shall not take as much again.
void Forensics::update(const uint8_t* data, size_t size) {
  const size_t most = size_t{row(dtype_).block_size} << 14;
  for (size_t begin = 0; begin < size; begin += most)
    update_piece(data + begin, std::min(most, size - begin));
}

void Forensics::update_piece(const uint8_t* data, size_t size) {
  searches_[0].add(data, size);
  const Streams streams = streams_of(dtype_);
  if (streams.count == 0) return;
  const size_t width = row(dtype_).block_size, count = size / width;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* element = data + i * width;
    bool zero = (element[width - 1] & 0x7f) == 0;
    for (size_t k = 0; k + 1 < width; k++) zero &= element[k] == 0;
    for (size_t plane = 0; plane < streams.planes && !zero; plane++)
      planes_[plane].add(element[plane], elements_ + i);
  }
  elements_ += count;
  for (size_t s = 0; s < streams.count; s++) {
    const Stream& stream = streams.of[s];
    picked_.resize(count * stream.count);
    for (unsigned k = 0; k < stream.count; k++) {
      for (size_t i = 0; i < count; i++) picked_[i * stream.count + k] = data[i * width + stream.bytes[k]];
    }
    searches_[s + 1].add(picked_.data(), picked_.size());
  }
}

void Forensics::add_nan(uint64_t mantissa, unsigned mantissa_bits) {
  const uint64_t quiet = uint64_t{1} << (mantissa_bits - 1);
  odd_nans_ += mantissa != quiet ? 1 : 0;
  signalling_nans_ += (mantissa & quiet) == 0 ? 1 : 0;
}

void Forensics::take_nans(const std::vector<uint64_t>& codes, unsigned mantissa_bits) {
  for (uint64_t code : codes) add_nan(code & ((uint64_t{1} << mantissa_bits) - 1), mantissa_bits);
}

// Westfeld and Pfitzmann's test on every k: of codes that differ in their lowest k bits only, replaced bits
// make equally many.
void Forensics::take_codes(const CodeFormat& format, const CodeCounts& codes) {
  if (format.bits != 16 || format.kind != CodeFormat::Kind::kFloat) return;
  for (size_t i = 0; i < codes.size; i++) {
    const unsigned code = codes.codes[i];
    if (format.nan(code)) add_nan(format.mantissa(code), format.mantissa_bits);
    if (format.ordinary(code) && format.mantissa(code) < 2)
      boundary_[format.mantissa(code)] += codes.counts[i];
  }
  constexpr double kLeast = 5;  // expected in a cell: below it, the sum is no chi-square
  for (unsigned k = 1; k <= 4; k++) {
    const double cells = 1u << k;
    double chi2 = 0, freedom = 0;
    for (size_t i = 0; i < codes.size;) {
      const unsigned group = codes.codes[i] >> k;
      double sum = 0, squares = 0;
      const bool ordinary = format.ordinary(codes.codes[i]);
      for (; i < codes.size && codes.codes[i] >> k == group; i++) {
        const auto n = static_cast<double>(codes.counts[i]);
        sum += n;
        squares += n * n;
      }
      const double expected = sum / cells;
      if (!ordinary || expected < kLeast) continue;
      chi2 += squares / expected - sum;
      freedom += cells - 1;
    }
    if (freedom > 0) pairs_[k - 1] = (chi2 - freedom) / std::sqrt(2 * freedom);
  }
}

void Forensics::write(Record& record) {
  record.put(uint64_t{wanted_});
  if (!wanted_) return;
  record.put(uint64_t{planes_.size()});
  for (const PlaneWindows& plane : planes_) plane.write(record);
  for (uint64_t count : boundary_) record.put(count);
  for (double z : pairs_) record.put(z);
  record.put(odd_nans_);
  record.put(signalling_nans_);
  uint64_t found = 0;
  for (MagicSearch& search : searches_) {
    search.finish();
    found += search.found();
  }
  record.put(found);
  for (size_t i = 0; i < searches_.size(); i++) searches_[i].write(record, i);
}

}  // namespace steelyard
