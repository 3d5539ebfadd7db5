#ifndef BTFD_LOAD_H_
#define BTFD_LOAD_H_

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "fd.h"

namespace btfd {

struct FreeDeleter {
  void operator()(void* memory) const { free(memory); }
};
// Memory of a size that a caller chose: null, not an abort, where there is none. Untouched zero pages cost nothing.
using Memory = std::unique_ptr<uint8_t[], FreeDeleter>;
inline Memory AllocateZeroed(size_t size) { return Memory(static_cast<uint8_t*>(calloc(size + 1, 1))); }

struct LoadJob {
  Memory bytes;
  uint32_t size = 0;
  uint32_t log_size = 0;
};

struct LoadResult {
  Fd fd;
  int error = 0;
  // The verifier's log up to its NUL, where a load with a log ran; null otherwise.
  Memory log;
  uint32_t log_length = 0;
  uint32_t log_true_size = 0;
};

// Loads without a log; when that fails, and a log is wanted, and the verifier can have said something, once more
// with a log. The errno is the first call's: that of a logged call may be ENOSPC for a log that doesn't fit. Should
// the second call succeed, its fd is the result: the kernel took the BTF, the first failure was a passing one.
LoadResult Load(const LoadJob& job);

}  // namespace btfd

#endif  // BTFD_LOAD_H_
