#ifndef BTFD_BTF_FD_H_
#define BTFD_BTF_FD_H_

#include <napi.h>

#include <memory>

#include "open-fd.h"

namespace btfd {

// The JavaScript object that owns an fd of a BTF object.
class BtfFd : public Napi::ObjectWrap<BtfFd> {
 public:
  static Napi::Function Define(Napi::Env env);
  // Returns a new object that owns the fd, or the errno as a negative number. Returns an empty value and closes the fd
  // if JavaScript can no longer run.
  static Napi::Value FromResult(Napi::Env env, FdOrErrno result);

  explicit BtfFd(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BtfFd>(info) {}
  ~BtfFd() override;

 private:
  Napi::Value GetFd(const Napi::CallbackInfo& info);
  Napi::Value Info(const Napi::CallbackInfo& info);
  void Read(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value Dup(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // -1 after Close. The kernel returns EBADF for it.
  int Number() const { return fd_ == nullptr ? -1 : fd_->Get(); }

  // Null after Close. Shared with pending reads: the fd stays open until they are done, so its number cannot be reused
  // for another file while the kernel reads from it.
  std::shared_ptr<OpenFd> fd_;
  std::shared_ptr<FdStats> stats_;
};

}  // namespace btfd

#endif  // BTFD_BTF_FD_H_
