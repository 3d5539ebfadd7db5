#ifndef BTFD_READ_WORKER_H_
#define BTFD_READ_WORKER_H_

#include <napi.h>

#include <memory>

#include "open-fd.h"

namespace btfd {

// Fills an array with a BTF object's data on libuv's pool, then calls `callback(the array or a negative errno)`.
// JavaScript doesn't see the array before; at an environment's end Node waits for its workers before it frees it.
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
