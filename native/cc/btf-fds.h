#ifndef BTFD_BTF_FDS_H_
#define BTFD_BTF_FDS_H_

#include <napi.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
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

// The fds of BTF objects that JavaScript owns, which knows them by their numbers. Used on JavaScript's thread only. Those
// that are left are closed when the environment ends.
class BtfFds {
 public:
  // Returns the number, which JavaScript has to close, or the errno as a negative number.
  Napi::Value Add(Napi::Env env, FdOrErrno result) {
    if (result.error != 0) return Napi::Number::New(env, -result.error);
    const int number = result.fd.Get();
    fds_.emplace(number, std::make_shared<OpenFd>(std::move(result.fd), stats_));
    return Napi::Number::New(env, number);
  }

  // Returns the fd, which stays open as long as the result is kept.
  std::shared_ptr<OpenFd> Share(int number) const { return fds_.at(number); }

  // Does not close the fd while it is shared, so that its number cannot be reused for another file while a thread uses it.
  void Close(int number) { fds_.erase(number); }

  // Closes the fd of an object that the garbage collector has freed.
  void CloseForgotten(int number) {
    stats_->closed_by_finalizer++;
    Close(number);
  }

  const FdStats& Stats() const { return *stats_; }

 private:
  std::unordered_map<int, std::shared_ptr<OpenFd>> fds_;
  // Shared, because fds that are shared may outlive this object when the environment ends.
  const std::shared_ptr<FdStats> stats_ = std::make_shared<FdStats>();
};

}  // namespace btfd

#endif  // BTFD_BTF_FDS_H_
