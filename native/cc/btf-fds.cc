#include "btf-fds.h"

#include <utility>

namespace btfd {

Napi::Value BtfFds::Add(Napi::Env env, FdOrErrno result) {
  if (result.error != 0) return Napi::Number::New(env, -result.error);
  const int number = result.fd.Get();
  fds_.emplace(number, std::make_shared<OpenFd>(std::move(result.fd), stats_));
  return Napi::Number::New(env, number);
}

void BtfFds::CloseForgotten(int number) {
  stats_->closed_by_finalizer++;
  Close(number);
}

}  // namespace btfd
