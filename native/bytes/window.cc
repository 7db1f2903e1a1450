// Sequential reading: 64 MiB mappings under a SIGBUS guard, or a buffer filled by pread.
#include "bytes/window.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace steelyard {

constexpr uint64_t kMappingSize = 64 << 20;  // bounds resident memory; a multiple of every page size

Window::Window(int fd, uint64_t start, uint64_t end, Io io) : fd_(fd), end_(end), io_(io), start_(start) {}

Window::~Window() {
  unmap();
}

ReadStatus Window::next() {
  start_ += chunk_size_;
  chunk_size_ = static_cast<size_t>(std::min<uint64_t>(kChunkSize, end_ - start_));
  if (chunk_size_ == 0) return ReadStatus::kOk;
  if (io_ != Io::kPread) {
    bool mapped = mapping_ != nullptr && start_ < mapping_start_ + mapping_size_;
    if (mapped || map_next()) {
      data_ = static_cast<const uint8_t*>(mapping_) + (start_ - mapping_start_);
      return ReadStatus::kOk;
    }
    if (io_ == Io::kMmap) return ReadStatus::kFailed;
    io_ = Io::kPread;  // a file system without mmap
  }
  return read_next();
}

bool Window::map_next() {
  unmap();
  // A mapping begins where a page does, and holds whole chunks from start_ on.
  mapping_start_ = start_ - start_ % static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  mapping_size_ = static_cast<size_t>(std::min(start_ + kMappingSize, end_) - mapping_start_);
  void* mapping =
      mmap(nullptr, mapping_size_, PROT_READ, MAP_SHARED, fd_, static_cast<off_t>(mapping_start_));
  if (mapping == MAP_FAILED) {
    error_ = errno;
    return false;
  }
  mapping_ = mapping;
  if (!guard_.watch(mapping_, mapping_size_)) {
    unmap();
    error_ = EAGAIN;
    return false;
  }
  madvise(mapping_, mapping_size_, MADV_SEQUENTIAL);
  madvise(mapping_, mapping_size_, MADV_WILLNEED);
  return true;
}

void Window::unmap() {
  guard_.release();
  if (mapping_ != nullptr) munmap(mapping_, mapping_size_);
  mapping_ = nullptr;
}

ReadStatus Window::check() {
  const uint8_t* fault = mapping_ != nullptr ? guard_.fault() : nullptr;
  if (fault == nullptr) return ReadStatus::kOk;
  start_ = mapping_start_ + static_cast<uint64_t>(fault - static_cast<const uint8_t*>(mapping_));
  struct stat now;
  bool shrunk = fstat(fd_, &now) == 0 && static_cast<uint64_t>(now.st_size) < end_;
  error_ = EIO;
  return shrunk ? ReadStatus::kTruncated : ReadStatus::kFailed;
}

ReadStatus Window::read_next() {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<uint8_t[]>(kChunkSize);
  data_ = buffer_.get();
  for (size_t done = 0; done < chunk_size_;) {
    ssize_t got = pread(fd_, buffer_.get() + done, chunk_size_ - done, static_cast<off_t>(start_ + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      start_ += done;
      error_ = got < 0 ? errno : 0;
      return got < 0 ? ReadStatus::kFailed : ReadStatus::kTruncated;
    }
    done += static_cast<size_t>(got);
  }
  return ReadStatus::kOk;
}

}  // namespace steelyard
