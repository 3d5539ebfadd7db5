#ifndef BTFD_OPEN_FD_H_
#define BTFD_OPEN_FD_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "fd.h"

namespace btfd {

struct FdStats {
  uint32_t open = 0;
  uint32_t closed_by_finalizer = 0;
};

// An fd that is counted while it is open. Created and destroyed on JavaScript's thread.
class OpenFd {
 public:
  OpenFd(Fd fd, std::shared_ptr<FdStats> stats) : fd_(std::move(fd)), stats_(std::move(stats)) { stats_->open++; }
  OpenFd(const OpenFd&) = delete;
  OpenFd& operator=(const OpenFd&) = delete;
  ~OpenFd() { stats_->open--; }

  int Get() const { return fd_.Get(); }

 private:
  const Fd fd_;
  const std::shared_ptr<FdStats> stats_;
};

}  // namespace btfd

#endif  // BTFD_OPEN_FD_H_
