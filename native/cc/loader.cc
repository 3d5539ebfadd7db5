#include "loader.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "environment.h"

namespace btfd {
namespace {

Napi::Value Outcome(Napi::Env env, LoadResult result) {
  if (result.error == 0) return Environment::Of(env).btf_fds.Add(env, {std::move(result.fd), 0});
  Napi::Object failure = Napi::Object::New(env);
  Napi::Value log = env.Null();
  if (result.log != nullptr) {
    Napi::Uint8Array text = Napi::Uint8Array::New(env, result.log_length);
    if (text.IsEmpty()) return text;
    if (result.log_length > 0) memcpy(text.Data(), result.log.get(), result.log_length);
    log = text;
  }
  failure.Set("errno", Napi::Number::New(env, result.error));
  failure.Set("log", log);
  failure.Set("logTrueSize", Napi::Number::New(env, result.log_true_size));
  return failure;
}

}  // namespace

Napi::Value Loader::LoadNow(Napi::Env env, Napi::Uint8Array bytes, uint32_t log_size, int token_fd) {
  return Outcome(env, btfd::Load(bytes.Data(), {static_cast<uint32_t>(bytes.ByteLength()), log_size, token_fd}));
}

void Loader::Load(Napi::Env env, Napi::Uint8Array bytes, uint32_t log_size, int token_fd, Napi::Function callback) {
  const uint32_t size = bytes.ByteLength();
  LoadJob job = {AllocateZeroed(size), {size, log_size, token_fd}};
  LoadResult failure;
  failure.error = job.bytes == nullptr ? ENOMEM : Start(env);
  if (failure.error != 0) {
    callback.Call({Outcome(env, std::move(failure))});
    return;
  }
  if (size > 0) memcpy(job.bytes.get(), bytes.Data(), size);
  if (callbacks_.empty()) napi_ref_threadsafe_function(env, notify_);
  callbacks_.push_back(Napi::Persistent(callback));
  thread_->Push(std::move(job));
}

int Loader::Start(Napi::Env env) {
  if (thread_ != nullptr) return 0;
  if (notify_ == nullptr) {
    const napi_status status =
        napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "btfd-load"), 0, 1, nullptr,
                                        nullptr, nullptr, OnResult, &notify_);
    if (status != napi_ok) return ENOMEM;
    napi_unref_threadsafe_function(env, notify_);
    // Hooks run in reverse order: this one runs before Node's hook that frees the threadsafe function.
    napi_add_env_cleanup_hook(env, OnEnvironmentEnd, this);
  }
  int error = 0;
  thread_ = LoadThread::Start(notify_, &error);
  // A thread cannot be started without room for it. As the errno of a load, EAGAIN would look like one of the kernel's.
  return error == EAGAIN ? ENOMEM : error;
}

void Loader::OnEnvironmentEnd(void* self) {
  Loader* loader = static_cast<Loader*>(self);
  if (loader->thread_ != nullptr) loader->thread_->Stop();
}

void Loader::OnResult(napi_env env, napi_value, void*, void*) {
  // Null if the environment is ending. Stop has dropped the result then.
  if (env != nullptr) Environment::Of(env).loader.Finish(env);
}

void Loader::Finish(Napi::Env env) {
  std::optional<LoadResult> result = thread_->Take();
  if (!result) return;
  Napi::FunctionReference callback = std::move(callbacks_.front());
  callbacks_.pop_front();
  if (callbacks_.empty()) napi_unref_threadsafe_function(env, notify_);

  Napi::Value outcome = Outcome(env, std::move(*result));
  if (!outcome.IsEmpty()) callback.Call({outcome});
}

}  // namespace btfd
