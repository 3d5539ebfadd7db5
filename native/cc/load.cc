#include "load.h"

#include <cerrno>
#include <cstring>

namespace btfd {
namespace {

// Returns whether a second load, with a log, can say more than the errno. For E2BIG and ENOTSUPP it can: they also mean
// too many types and an unknown header. If E2BIG means "over 16 MiB", the second load fails as fast as the first.
bool KernelMayHaveLogged(int error) {
  switch (error) {
    case EPERM:   // No capability: refused before the check.
    case EACCES:  // A security module refused before the check.
    case ENOSYS:  // No bpf(2), or a seccomp filter.
    case ENOMEM:  // Before or during the check, which does not log it.
    case EFAULT:  // The same.
    case EMFILE:  // The check passed, but there was no fd for its result.
    case ENFILE:  // The same.
      return false;
    default:
      return true;
  }
}

}  // namespace

LoadResult Load(const uint8_t* bytes, const LoadOptions& options) {
  LoadResult result;
  FdOrErrno first = BtfLoad(bytes, options.size, nullptr, options.token_fd);
  result.fd = std::move(first.fd);
  result.error = first.error;
  if (first.error == 0 || options.log_size == 0 || !KernelMayHaveLogged(first.error)) return result;

  Memory log = AllocateZeroed(options.log_size);
  if (log == nullptr) return result;
  LogBuffer buffer;
  buffer.data = reinterpret_cast<char*>(log.get());
  buffer.size = options.log_size;
  FdOrErrno second = BtfLoad(bytes, options.size, &buffer, options.token_fd);
  if (second.error == 0) {
    result.fd = std::move(second.fd);
    result.error = 0;
    return result;
  }
  result.log_length = strnlen(buffer.data, buffer.size);
  result.log_true_size = buffer.true_size;
  result.log = std::move(log);
  return result;
}

}  // namespace btfd
