#include "btf-fd.h"

#include <utility>

#include "bpf.h"
#include "environment.h"
#include "read-worker.h"
#include "sockets.h"

namespace btfd {

Napi::Function BtfFd::Define(Napi::Env env) {
  return DefineClass(env, "BtfFd",
                     {
                         InstanceAccessor<&BtfFd::GetFd>("fd"),
                         InstanceMethod<&BtfFd::Info>("info"),
                         InstanceMethod<&BtfFd::Read>("read"),
                         InstanceMethod<&BtfFd::Send>("send"),
                         InstanceMethod<&BtfFd::Dup>("dup"),
                         InstanceMethod<&BtfFd::Close>("close"),
                     });
}

Napi::Value BtfFd::FromResult(Napi::Env env, FdOrErrno result) {
  if (result.error != 0) return Napi::Number::New(env, -result.error);
  Environment& environment = Environment::Of(env);
  Napi::Object object = environment.btf_fd_constructor.New({});
  if (object.IsEmpty()) return object;
  BtfFd* self = Unwrap(object);
  if (self == nullptr) return Napi::Value();
  self->stats_ = environment.fd_stats;
  self->fd_ = std::make_shared<OpenFd>(std::move(result.fd), environment.fd_stats);
  return object;
}

BtfFd::~BtfFd() {
  if (fd_ != nullptr) stats_->closed_by_finalizer++;
}

Napi::Value BtfFd::GetFd(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), Number()); }

Napi::Value BtfFd::Info(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  BtfInfo btf;
  const int result = BtfGetInfo(Number(), &btf);
  if (result < 0) return Napi::Number::New(env, result);
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", Napi::Number::New(env, btf.id));
  object.Set("name", Napi::String::New(env, btf.name));
  object.Set("kernelBtf", Napi::Boolean::New(env, btf.kernel_btf));
  object.Set("size", Napi::Number::New(env, btf.size));
  return object;
}

void BtfFd::Read(const Napi::CallbackInfo& info) {
  (new ReadWorker(info[1].As<Napi::Function>(), fd_, info[0].As<Napi::Uint8Array>()))->Queue();
}

Napi::Value BtfFd::Send(const Napi::CallbackInfo& info) {
  const int socket = info[0].As<Napi::Number>().Int32Value();
  return Napi::Number::New(info.Env(), SendFd(socket, info[1].As<Napi::String>().Utf8Value(), Number()));
}

Napi::Value BtfFd::Dup(const Napi::CallbackInfo& info) { return FromResult(info.Env(), btfd::Dup(Number())); }

Napi::Value BtfFd::Close(const Napi::CallbackInfo& info) {
  const bool was_open = fd_ != nullptr;
  fd_.reset();
  return Napi::Boolean::New(info.Env(), was_open);
}

}  // namespace btfd
