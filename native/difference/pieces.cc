#include "difference/pieces.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#include "difference/elements.h"

namespace steelyard {
namespace {

// From here on squares of squares overflow; counted with what is not finite. Only F64 has such values.
constexpr double kLargest = 0x1p250;

void compare_values(Piece& piece, size_t count) {
  const double *a = piece.good, *b = piece.suspect;
  for (size_t i = 0; i < count; i++) {
    const bool nans = (a[i] != a[i]) & (b[i] != b[i]);
    piece.changed[i] = (a[i] != b[i]) & !nans;
  }
}

// Of two runs of codes: which are another, and how many differ in each bit.
template <class Code>
void compare_codes(const uint8_t* good, const uint8_t* suspect, size_t count, unsigned bits, uint8_t* changed,
                   uint64_t* bit_counts) {
  using Count = std::conditional_t<sizeof(Code) == 1, uint16_t, Code>;  // as wide as can be, for vectors
  static_assert(Piece::kCount < 1 << 16);
  Code codes[Piece::kCount];
  std::memcpy(codes, good, count * sizeof(Code));
  for (size_t i = 0; i < count; i++) {
    Code other;
    std::memcpy(&other, suspect + i * sizeof other, sizeof other);
    codes[i] ^= other;
    changed[i] = codes[i] != 0;
  }
  for (unsigned bit = 0; bit < bits; bit++) {
    Count sum = 0;
    for (size_t i = 0; i < count; i++) sum = static_cast<Count>(sum + (codes[i] >> bit & 1));
    bit_counts[bit] += sum;
  }
}

}  // namespace

PieceReader::PieceReader(const Pair& pair)
    : dtypes_{pair.sides[0].dtype, pair.sides[1].dtype}, reader_(pair), bits_(code_bits(dtypes_[0])) {}

bool PieceReader::next() {
  if (!reader_.next()) return false;
  const size_t count = reader_.count();
  decode_elements(dtypes_[0], reader_.bytes(0), count, piece_.good);
  if (reader_.same()) return true;
  decode_elements(dtypes_[1], reader_.bytes(1), count, piece_.suspect);
  compare(count);
  return true;
}

uint64_t PieceReader::mask() {
  uint64_t kept = 0;
  const size_t count = reader_.count();
  double *a = piece_.good, *b = piece_.suspect, *d = piece_.difference;
  if (reader_.same()) {
    for (size_t i = 0; i < count; i++) {
      const bool finite = std::fabs(a[i]) < kLargest;
      a[i] = finite ? a[i] : 0;
      kept += finite;
    }
    return count - kept;
  }
  for (size_t i = 0; i < count; i++) {
    const bool finite = (std::fabs(a[i]) < kLargest) & (std::fabs(b[i]) < kLargest);
    a[i] = finite ? a[i] : 0;
    b[i] = finite ? b[i] : 0;
    d[i] = b[i] - a[i];
    kept += finite;
  }
  return count - kept;
}

std::vector<uint64_t> PieceReader::bit_counts() const {
  if (dtypes_[0] != dtypes_[1]) return {};
  return {bit_counts_, bit_counts_ + bits_};
}

uint64_t PieceReader::code(unsigned side, size_t index) {
  codes_.resize(Piece::kCount);
  element_codes(dtypes_[side], reader_.bytes(side), reader_.count(), codes_.data());
  return codes_[index];
}

void PieceReader::compare(size_t count) {
  const uint8_t *good = reader_.bytes(0), *suspect = reader_.bytes(1);
  if (dtypes_[0] != dtypes_[1]) return compare_values(piece_, count);
  switch (bits_) {
    case 4:
      return compare_nibbles(count);
    case 8:
      return compare_codes<uint8_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
    case 16:
      return compare_codes<uint16_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
    case 32:
      return compare_codes<uint32_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
    case 64:
      return compare_codes<uint64_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
    default:
      return compare_blocks(count);
  }
}

// A quant of another code counts even in a block whose scale is zero: a good place to hide something.
void PieceReader::compare_blocks(size_t count) {
  std::vector<uint64_t> codes[2];
  unpack(codes, count);
  compare_values(piece_, count);
  for (size_t i = 0; i < count; i++) piece_.changed[i] |= codes[0][i] != codes[1][i];
}

void PieceReader::compare_nibbles(size_t count) {
  std::vector<uint64_t> codes[2];
  unpack(codes, count);
  for (size_t i = 0; i < count; i++) {
    const uint64_t differing = codes[0][i] ^ codes[1][i];
    piece_.changed[i] = differing != 0;
    for (unsigned bit = 0; bit < 4; bit++) bit_counts_[bit] += differing >> bit & 1;
  }
}

void PieceReader::unpack(std::vector<uint64_t> (&codes)[2], size_t count) const {
  for (unsigned side = 0; side < 2; side++) {
    codes[side].resize(count);
    element_codes(dtypes_[side], reader_.bytes(side), count, codes[side].data());
  }
}

}  // namespace steelyard
