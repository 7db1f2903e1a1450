// The bytes of a file or a part of it, first to last, in chunks: mapped windows where the system allows it,
// pread elsewhere.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "bytes/sigbus.h"

namespace steelyard {

enum class Io : uint8_t { kAuto, kMmap, kPread };

enum class ReadStatus : uint8_t {
  kOk,
  kTruncated,  // the file ends before its size
  kFailed,     // the system refused; see error()
};

class Window {
 public:
  // [start, end) of a file, or all of it. Does not own the descriptor.
  Window(int fd, uint64_t start, uint64_t end, Io io);
  Window(int fd, uint64_t size, Io io) : Window(fd, 0, size, io) {}
  ~Window();
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  // Moves to the next chunk (at most kChunkSize bytes; size 0: the end).
  ReadStatus next();
  // After the chunk was used: were its bytes really the file's?
  ReadStatus check();

  const uint8_t* data() const { return data_; }
  size_t size() const { return chunk_size_; }
  // Absolute position of the chunk's first byte, and, after a failure, of the first byte that could not be
  // read.
  uint64_t start() const { return start_; }
  int error() const { return error_; }

  static constexpr size_t kChunkSize = 256 << 10;  // stays in the L2 cache between the digest and the counts

 private:
  bool map_next();
  void unmap();
  ReadStatus read_next();

  int fd_;
  uint64_t end_;
  Io io_;
  uint64_t start_;
  size_t chunk_size_ = 0;
  const uint8_t* data_ = nullptr;
  int error_ = 0;

  void* mapping_ = nullptr;
  size_t mapping_size_ = 0;
  uint64_t mapping_start_ = 0;
  SigbusGuard guard_;
  std::unique_ptr<uint8_t[]> buffer_;
};

}  // namespace steelyard
