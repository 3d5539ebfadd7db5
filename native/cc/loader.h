#ifndef BTFD_LOADER_H_
#define BTFD_LOADER_H_

#include <napi.h>

#include <deque>
#include <memory>

#include "load-thread.h"

namespace btfd {

// The JavaScript side of BTF_LOAD. The outcome of a load is an fd of BtfFds, or an object with `errno`, `log`
// (null if no logged load ran) and `logTrueSize` (0 if unknown).
//
// Starts the load thread on first use and passes its results to the callbacks. Keeps
// the event loop alive while a load is pending, and only then.
class Loader {
 public:
  // Copies the bytes before it returns. Calls `callback(outcome)`.
  void Load(Napi::Env env, Napi::Uint8Array bytes, uint32_t log_size, int token_fd, Napi::Function callback);
  // Loads on the calling thread. Returns the outcome, or an empty value if JavaScript can no longer run.
  static Napi::Value LoadNow(Napi::Env env, Napi::Uint8Array bytes, uint32_t log_size, int token_fd);

 private:
  int Start(Napi::Env env);
  void Finish(Napi::Env env);
  static void OnResult(napi_env env, napi_value, void*, void*);
  static void OnEnvironmentEnd(void* self);

  napi_threadsafe_function notify_ = nullptr;
  std::shared_ptr<LoadThread> thread_;
  // In the order of the jobs, which is also the order of the results.
  std::deque<Napi::FunctionReference> callbacks_;
};

}  // namespace btfd

#endif  // BTFD_LOADER_H_
