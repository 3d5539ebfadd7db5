#include "read-worker.h"

#include <utility>

#include "bpf.h"

namespace btfd {

ReadWorker::ReadWorker(Napi::Function callback, std::shared_ptr<OpenFd> fd, Napi::Uint8Array bytes)
    : Napi::AsyncWorker(callback, "btfd-read"),
      fd_(std::move(fd)),
      bytes_(Napi::Reference<Napi::Uint8Array>::New(bytes, 1)),
      data_(bytes.Data()),
      size_(bytes.ByteLength()) {}

void ReadWorker::Execute() { result_ = BtfGetData(fd_->Get(), data_, size_); }

void ReadWorker::OnOK() {
  Callback().Call({Napi::Number::New(Env(), result_)});
}

}  // namespace btfd
