#include "load.h"

#include <cerrno>
#include <cstring>

#include "bpf.h"

namespace btfd {
namespace {

// Whether a second, logged check can say more than the errno. E2BIG and ENOTSUPP can: they stand for too many types
// and for an unknown header as well (and where E2BIG means "over 16 MiB", the second call is refused at once too).
bool VerifierMayHaveSpoken(int error) {
  switch (error) {
    case EPERM:   // No capability, and
    case EACCES:  // a security module's no: before the check.
    case ENOSYS:  // No bpf(2), or a seccomp filter.
    case ENOMEM:  // Before or amid the check, which says nothing of it.
    case EFAULT:  // Likewise.
    case EMFILE:  // The check had passed, and
    case ENFILE:  // there was no fd for its result.
      return false;
    default:
      return true;
  }
}

}  // namespace

LoadResult Load(const LoadJob& job) {
  LoadResult result;
  FdOrErrno first = BtfLoad(job.bytes.get(), job.size, nullptr);
  result.fd = std::move(first.fd);
  result.error = first.error;
  if (first.error == 0 || job.log_size == 0 || !VerifierMayHaveSpoken(first.error)) return result;

  Memory log = AllocateZeroed(job.log_size);
  if (log == nullptr) return result;
  LogBuffer buffer;
  buffer.data = reinterpret_cast<char*>(log.get());
  buffer.size = job.log_size;
  FdOrErrno second = BtfLoad(job.bytes.get(), job.size, &buffer);
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
