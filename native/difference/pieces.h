// Two tensors decoded side by side, a piece at a time: which of their elements changed, and by how much.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "difference/pair_reader.h"

namespace steelyard {

// Both sides, decoded; elements that are not finite on both are zero on both.
struct Piece {
  static constexpr size_t kCount = PairReader::kPiece;
  double good[kCount], suspect[kCount], difference[kCount];
  uint8_t changed[kCount];
};

class PieceReader {
 public:
  explicit PieceReader(const Pair& pair);

  // Decodes the next piece; false at the end, or after a failure.
  bool next();
  // Leaves out what is not finite; returns how many elements that are.
  uint64_t mask();

  const PairReader& reader() const { return reader_; }
  const Piece& piece() const { return piece_; }
  // How many codes differ in each bit; empty where codes cannot be held against each other.
  std::vector<uint64_t> bit_counts() const;
  // Of an element of the piece.
  uint64_t code(unsigned side, size_t index);

 private:
  void compare(size_t count);
  void compare_blocks(size_t count);
  void compare_nibbles(size_t count);
  void unpack(std::vector<uint64_t> (&codes)[2], size_t count) const;

  const Dtype dtypes_[2];
  PairReader reader_;
  Piece piece_;
  unsigned bits_;  // 0: codes alone do not tell values
  uint64_t bit_counts_[64] = {};
  std::vector<uint64_t> codes_;
};

// A part of one row that lies in one piece: [begin, end) of the piece, beginning at a column.
struct Segment {
  size_t begin, end;
  uint64_t row, column;
};

// Calls `each` with the segments of a piece. What is no matrix is one row.
template <class F>
void for_segments(const Pair& pair, const PairReader& reader, F each) {
  const uint64_t columns = pair.columns > 0 ? pair.columns : pair.count;
  uint64_t row = reader.first() / columns, column = reader.first() % columns;
  for (size_t begin = 0; begin < reader.count();) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(reader.count() - begin, columns - column));
    each(Segment{begin, begin + size, row, column});
    begin += size;
    column = 0;
    row++;
  }
}

}  // namespace steelyard
