#ifndef BTFD_LOAD_H_
#define BTFD_LOAD_H_

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "bpf.h"
#include "fd.h"

namespace btfd {

struct FreeDeleter {
  void operator()(void* memory) const { free(memory); }
};
// Memory of a size that a caller chose. Null, instead of an abort, if there is not enough. Untouched zero pages cost
// nothing.
using Memory = std::unique_ptr<uint8_t[], FreeDeleter>;
inline Memory AllocateZeroed(size_t size) { return Memory(static_cast<uint8_t*>(calloc(size + 1, 1))); }

// The parameters of a load, except its bytes.
struct LoadOptions {
  uint32_t size = 0;
  uint32_t log_size = 0;
  // The fd of a BPF token, or kNoToken. Its owner keeps it open until the load has ended.
  int token_fd = kNoToken;
};

struct LoadResult {
  Fd fd;
  int error = 0;
  // The kernel's log up to its NUL. Null if no load with a log ran.
  Memory log;
  uint32_t log_length = 0;
  uint32_t log_true_size = 0;
};

// Loads without a log. If that fails, a log was requested, and the check of the BTF may have caused the failure, loads again
// with a log. The errno is that of the first load, because a load whose log does not fit fails with ENOSPC. If the
// second load succeeds, its fd is the result: the first failure was temporary.
LoadResult Load(const uint8_t* bytes, const LoadOptions& options);

}  // namespace btfd

#endif  // BTFD_LOAD_H_
