#ifndef BTFD_BTF_FDS_H_
#define BTFD_BTF_FDS_H_

#include <napi.h>

#include <memory>
#include <unordered_map>

#include "open-fd.h"

namespace btfd {

// The fds of BTF objects that JavaScript owns, which knows them by their numbers. A wrapped object for each would take half of
// the time of a small load. Used on JavaScript's thread only. Those that are left are closed when the environment ends.
class BtfFds {
 public:
  // Returns the number, which JavaScript has to close, or the errno as a negative number.
  Napi::Value Add(Napi::Env env, FdOrErrno result);
  // Returns the fd, which stays open as long as the result is kept.
  std::shared_ptr<OpenFd> Share(int number) const { return fds_.at(number); }
  // Does not close the fd while it is shared, so that its number cannot be reused for another file while a thread uses it.
  void Close(int number) { fds_.erase(number); }
  // Closes the fd of an object that the garbage collector has freed.
  void CloseForgotten(int number);

  const FdStats& Stats() const { return *stats_; }

 private:
  std::unordered_map<int, std::shared_ptr<OpenFd>> fds_;
  // Shared, because fds that are shared may outlive this object when the environment ends.
  const std::shared_ptr<FdStats> stats_ = std::make_shared<FdStats>();
};

}  // namespace btfd

#endif  // BTFD_BTF_FDS_H_
