#ifndef BTFD_FD_H_
#define BTFD_FD_H_

#include <unistd.h>

#include <utility>

namespace btfd {

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }

  int Get() const { return fd_; }
  // Returns the fd, which the caller then owns.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// The result of a call that opens an fd: the fd, or an errno. The errno is 0 on success.
struct FdOrErrno {
  Fd fd;
  int error = 0;
};

}  // namespace btfd

#endif  // BTFD_FD_H_
