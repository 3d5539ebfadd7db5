#ifndef BTFD_LOAD_THREAD_H_
#define BTFD_LOAD_THREAD_H_

#include <node_api.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "load.h"

namespace btfd {

// One thread that loads BTF, one job after the other.
//
// The kernel's check of a BTF can take many seconds and can't be interrupted, so nothing ever waits for the thread:
// it is detached and shares this object with its environment. `Stop` drops all jobs and results; a load that is
// inside the kernel then ends on its own, closes the fd it got, and the thread goes.
class LoadThread {
 public:
  // Starts the thread; null and an errno where the system has none to give. `notify` is called once per result.
  static std::shared_ptr<LoadThread> Start(napi_threadsafe_function notify, int* error);

  void Push(LoadJob job);
  // The oldest result not taken yet. Results come in the order of the jobs.
  std::optional<LoadResult> Take();
  // After this the thread doesn't touch `notify`, which Node is about to free.
  void Stop();

 private:
  explicit LoadThread(napi_threadsafe_function notify) : notify_(notify) {}

  static void* Main(void* self);
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<LoadJob> jobs_;
  std::deque<LoadResult> results_;
  bool stopped_ = false;
  const napi_threadsafe_function notify_;
};

}  // namespace btfd

#endif  // BTFD_LOAD_THREAD_H_
