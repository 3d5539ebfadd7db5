#ifndef BTFD_REQUEST_FD_WORKER_H_
#define BTFD_REQUEST_FD_WORKER_H_

#include <napi.h>

#include <string>

#include "sockets.h"

namespace btfd {

// Runs RequestFd on libuv's thread pool, then calls `callback(fd of BtfFds, null or negative errno, text)`.
class RequestFdWorker : public Napi::AsyncWorker {
 public:
  RequestFdWorker(Napi::Function callback, std::string path, std::string request, uint32_t max_size,
                  uint32_t timeout_ms);

 protected:
  void Execute() override;
  void OnOK() override;

 private:
  const std::string path_;
  const std::string request_;
  const uint32_t max_size_;
  const uint32_t timeout_ms_;
  int result_ = 0;
  Received received_;
};

}  // namespace btfd

#endif  // BTFD_REQUEST_FD_WORKER_H_
