#ifndef BTFD_READ_WORKER_H_
#define BTFD_READ_WORKER_H_

#include <napi.h>

#include <memory>

#include "btf-fds.h"

namespace btfd {

// Fills an array with the data of a BTF object on libuv's thread pool, then calls `callback(0 or negative errno)`. Until
// then nothing else may use the array. When an environment ends, Node waits for its workers before it frees the array.
class ReadWorker : public Napi::AsyncWorker {
 public:
  ReadWorker(Napi::Function callback, std::shared_ptr<OpenFd> fd, Napi::Uint8Array bytes);

 protected:
  void Execute() override;
  void OnOK() override;

 private:
  const std::shared_ptr<OpenFd> fd_;
  const Napi::Reference<Napi::Uint8Array> bytes_;
  uint8_t* const data_;
  const uint32_t size_;
  int result_ = 0;
};

}  // namespace btfd

#endif  // BTFD_READ_WORKER_H_
