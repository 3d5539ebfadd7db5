#include "load-thread.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace btfd {

// Uses pthread_create because std::thread, without exceptions, ends the process if no thread can be created.
std::shared_ptr<LoadThread> LoadThread::Start(napi_threadsafe_function notify, int* error) {
  std::shared_ptr<LoadThread> thread(new LoadThread(notify));
  auto* owned_by_thread = new std::shared_ptr<LoadThread>(thread);

  // Node's threads handle signals. The new thread inherits a mask that blocks all of them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t id;
  *error = pthread_create(&id, nullptr, Main, owned_by_thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);

  if (*error != 0) {
    delete owned_by_thread;
    return nullptr;
  }
  pthread_setname_np(id, "btfd-load");
  pthread_detach(id);
  return thread;
}

void LoadThread::Push(LoadJob job) {
  std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  wake_.notify_one();
}

std::optional<LoadResult> LoadThread::Take() {
  std::lock_guard lock(mutex_);
  if (results_.empty()) return std::nullopt;
  LoadResult result = std::move(results_.front());
  results_.pop_front();
  return result;
}

void LoadThread::Stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  jobs_.clear();
  results_.clear();
  wake_.notify_one();
}

void* LoadThread::Main(void* self) {
  std::unique_ptr<std::shared_ptr<LoadThread>> thread(static_cast<std::shared_ptr<LoadThread>*>(self));
  (*thread)->Run();
  return nullptr;
}

void LoadThread::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    LoadJob job = std::move(jobs_.front());
    jobs_.pop_front();

    lock.unlock();
    LoadResult result = Load(job.bytes.get(), job.options);
    lock.lock();

    if (stopped_) return;
    results_.push_back(std::move(result));
    // Under the lock, so that Stop cannot run between the check and the call.
    napi_call_threadsafe_function(notify_, nullptr, napi_tsfn_nonblocking);
  }
}

}  // namespace btfd
