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

struct LoadJob {
  Memory bytes;
  LoadOptions options;
};

// A thread that loads BTF, one job at a time.
//
// The kernel's check of a BTF can take many seconds and cannot be interrupted, so nothing ever waits for the thread. It
// is detached and shares this object with its environment. `Stop` drops all jobs and results. A load inside the kernel
// then runs to its end and closes its fd, and the thread ends.
class LoadThread {
 public:
  // Starts the thread. Returns null and an errno if the system cannot create one. Calls `notify` once per result.
  static std::shared_ptr<LoadThread> Start(napi_threadsafe_function notify, int* error);

  void Push(LoadJob job);
  // Removes and returns the oldest result. Results have the order of the jobs.
  std::optional<LoadResult> Take();
  // After Stop, the thread does not use `notify`, which Node is about to free.
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
