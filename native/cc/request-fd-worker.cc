#include "request-fd-worker.h"

#include <utility>

#include "bpf.h"
#include "environment.h"

namespace btfd {

RequestFdWorker::RequestFdWorker(Napi::Function callback, std::string path, std::string request, uint32_t max_size,
                                 uint32_t timeout_ms)
    : Napi::AsyncWorker(callback, "btfd-request-fd"),
      path_(std::move(path)),
      request_(std::move(request)),
      max_size_(max_size),
      timeout_ms_(timeout_ms) {}

void RequestFdWorker::Execute() { result_ = RequestFd(path_, request_, max_size_, timeout_ms_, &received_); }

void RequestFdWorker::OnOK() {
  Napi::Env env = Env();
  Napi::Value fd = env.Null();
  if (result_ < 0) {
    fd = Napi::Number::New(env, result_);
  } else if (received_.fd.Get() >= 0) {
    // 0 gets another number, as everywhere.
    const bool is_zero = received_.fd.Get() == 0;
    FdOrErrno received = is_zero ? Dup(0) : FdOrErrno{std::move(received_.fd), 0};
    fd = Environment::Of(env).btf_fds.Add(env, std::move(received));
  }
  Callback().Call({fd, Napi::String::New(env, received_.text)});
}

}  // namespace btfd
