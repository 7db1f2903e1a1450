// The handler maps zero pages over the unreadable rest of the mapping and returns, so the interrupted read
// completes: no jump out of a signal handler, no destructor skipped, no cost on the hot path. mmap(2) is a
// bare system call on Linux and macOS and takes no lock of the C library.
#include "bytes/sigbus.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>

namespace steelyard {
namespace {

struct Place {
  std::atomic<uintptr_t> begin{0};  // 0: free
  std::atomic<uintptr_t> end{0};
  std::atomic<uintptr_t> fault{0};
};
constexpr int kPlaces = 256;  // files under measurement at one time; more of them fall back to pread
Place places[kPlaces];
uintptr_t page_size;

std::mutex installing;
int users = 0;
bool installed = false;
struct sigaction previous;

void chain(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    // Not ours and nobody else's: restore the default, and the instruction faults again to its usual end.
    struct sigaction fallback = {};
    fallback.sa_handler = SIG_DFL;
    sigaction(signal, &fallback, nullptr);
  } else {
    previous.sa_handler(signal);
  }
}

void on_sigbus(int signal, siginfo_t* info, void* context) {
  uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Place& place : places) {
    uintptr_t begin = place.begin.load(std::memory_order_acquire), end = place.end.load();
    if (begin == 0 || address < begin || address >= end) continue;
    uintptr_t page = address & ~(page_size - 1);
    void* zeros = mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    place.fault.store(address);
    return;
  }
  chain(signal, info, context);
}

// Another copy of this library may install its handler after ours and chain to it; then ours has to stay, and
// so must its code: the library is pinned before the first installation.
bool pin_library() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&on_sigbus), &self) == 0) return false;
  // An executable (tests) cannot be opened as a library and needs no pin.
  dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);
  return true;
}

bool install() {
  if (installed) return true;
  static const bool pinned = pin_library();
  if (!pinned) return false;
  page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  installed = sigaction(SIGBUS, &action, &previous) == 0;
  return installed;
}

void uninstall() {
  struct sigaction current;
  if (sigaction(SIGBUS, nullptr, &current) != 0) return;
  bool on_top = (current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_sigbus;
  if (on_top) installed = sigaction(SIGBUS, &previous, nullptr) != 0;
}

}  // namespace

bool SigbusGuard::watch(void* begin, size_t size) {
  release();
  std::lock_guard lock(installing);
  if (!install()) return false;
  for (int i = 0; i < kPlaces; i++) {
    if (places[i].begin.load() != 0) continue;
    places[i].fault.store(0);
    places[i].end.store(reinterpret_cast<uintptr_t>(begin) + size);
    places[i].begin.store(reinterpret_cast<uintptr_t>(begin), std::memory_order_release);
    place_ = i;
    users++;
    return true;
  }
  if (users == 0) uninstall();
  return false;
}

const uint8_t* SigbusGuard::fault() const {
  return place_ < 0 ? nullptr : reinterpret_cast<const uint8_t*>(places[place_].fault.load());
}

void SigbusGuard::release() {
  if (place_ < 0) return;
  std::lock_guard lock(installing);
  places[place_].begin.store(0);
  place_ = -1;
  if (--users == 0) uninstall();
}

}  // namespace steelyard
