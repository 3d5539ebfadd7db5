#ifndef BTFD_BTF_FD_H_
#define BTFD_BTF_FD_H_

#include <napi.h>

#include <memory>

#include "open-fd.h"

namespace btfd {

// The JavaScript object that holds an fd of a BTF object.
class BtfFd : public Napi::ObjectWrap<BtfFd> {
 public:
  static Napi::Function Define(Napi::Env env);
  // A new object that owns the fd, or the errno as a negative number. Empty where JavaScript can't run any more; the
  // fd is closed then.
  static Napi::Value FromResult(Napi::Env env, FdOrErrno result);

  explicit BtfFd(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BtfFd>(info) {}
  ~BtfFd() override;

 private:
  Napi::Value GetFd(const Napi::CallbackInfo& info);
  Napi::Value Info(const Napi::CallbackInfo& info);
  void Read(const Napi::CallbackInfo& info);
  Napi::Value Dup(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // -1 once closed, to which the kernel says EBADF.
  int Number() const { return fd_ == nullptr ? -1 : fd_->Get(); }

  // Null once closed. Shared with reads under way, which so keep it from being closed, and its number from being
  // given to another file, under the hands of the kernel.
  std::shared_ptr<OpenFd> fd_;
  std::shared_ptr<FdStats> stats_;
};

}  // namespace btfd

#endif  // BTFD_BTF_FD_H_
