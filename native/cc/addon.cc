#include <linux/capability.h>
#include <malloc.h>
#include <napi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "bpf.h"
#include "environment.h"
#include "read-file.h"
#include "read-worker.h"
#include "request-fd-worker.h"
#include "sockets.h"

// The functions that src/addon.ts declares, in the same order. Their TypeScript callers have checked the arguments.
namespace btfd {
namespace {

Napi::Value TokenCreateFunction(const Napi::CallbackInfo& info) {
  FdOrErrno token = TokenCreate(info[0].As<Napi::Number>().Int32Value());
  return Napi::Number::New(info.Env(), token.error != 0 ? -token.error : token.fd.Release());
}

void BtfLoadFunction(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env())
      .loader.Load(info.Env(), info[0].As<Napi::Uint8Array>(), info[1].As<Napi::Number>().Uint32Value(),
                   info[2].As<Napi::Number>().Int32Value(), info[3].As<Napi::Function>());
}

Napi::Value BtfLoadSyncFunction(const Napi::CallbackInfo& info) {
  return Loader::LoadNow(info.Env(), info[0].As<Napi::Uint8Array>(), info[1].As<Napi::Number>().Uint32Value(),
                         info[2].As<Napi::Number>().Int32Value());
}

Napi::Value BtfGetFdByIdFunction(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env())
      .btf_fds.Add(info.Env(), BtfGetFdById(info[0].As<Napi::Number>().Uint32Value(),
                                            info[1].As<Napi::Number>().Int32Value()));
}

Napi::Value BtfInfoFunction(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  BtfInfo btf;
  const int result = BtfGetInfo(info[0].As<Napi::Number>().Int32Value(), &btf);
  if (result < 0) return Napi::Number::New(env, result);
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", Napi::Number::New(env, btf.id));
  object.Set("name", Napi::String::New(env, btf.name));
  object.Set("kernelBtf", Napi::Boolean::New(env, btf.kernel_btf));
  object.Set("size", Napi::Number::New(env, btf.size));
  return object;
}

void BtfReadFunction(const Napi::CallbackInfo& info) {
  BtfFds& fds = Environment::Of(info.Env()).btf_fds;
  (new ReadWorker(info[2].As<Napi::Function>(), fds.Share(info[0].As<Napi::Number>().Int32Value()),
                  info[1].As<Napi::Uint8Array>()))
      ->Queue();
}

Napi::Value BtfSendFunction(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const int socket = info[1].As<Napi::Number>().Int32Value();
  return Napi::Number::New(info.Env(), SendFd(socket, info[2].As<Napi::String>().Utf8Value(), fd));
}

Napi::Value BtfDupFunction(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).btf_fds.Add(info.Env(), Dup(info[0].As<Napi::Number>().Int32Value()));
}

template <void (BtfFds::*Close)(int)>
void BtfCloseFunction(const Napi::CallbackInfo& info) {
  (Environment::Of(info.Env()).btf_fds.*Close)(info[0].As<Napi::Number>().Int32Value());
}

template <int64_t (*GetNextId)(uint32_t)>
Napi::Value GetNextIdFunction(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), GetNextId(info[0].As<Napi::Number>().Uint32Value()));
}

template <ObjectInfoResult (*GetInfoById)(uint32_t)>
Napi::Value GetInfoByIdFunction(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const ObjectInfoResult read = GetInfoById(info[0].As<Napi::Number>().Uint32Value());
  Napi::Object object = Napi::Object::New(env);
  if (read.result < 0) {
    object.Set("opened", Napi::Boolean::New(env, read.opened));
    object.Set("result", Napi::Number::New(env, read.result));
    return object;
  }
  object.Set("id", Napi::Number::New(env, read.info.id));
  object.Set("name", Napi::String::New(env, read.info.name));
  object.Set("btfId", Napi::Number::New(env, read.info.btf_id));
  object.Set("btfKeyTypeId", Napi::Number::New(env, read.info.btf_key_type_id));
  object.Set("btfValueTypeId", Napi::Number::New(env, read.info.btf_value_type_id));
  return object;
}

Napi::Value ProgLoadFunction(const Napi::CallbackInfo& info) {
  constexpr uint32_t kInstructionSize = 8;
  Napi::Uint8Array instructions = info[1].As<Napi::Uint8Array>();
  const std::string license = info[2].As<Napi::String>().Utf8Value();
  const int result = ProgLoad(info[0].As<Napi::Number>().Uint32Value(), instructions.Data(),
                              instructions.ByteLength() / kInstructionSize, license.c_str());
  return Napi::Number::New(info.Env(), result);
}

// Returns the effective capabilities of the calling thread, from capget(2).
Napi::Value CapabilitiesFunction(const Napi::CallbackInfo& info) {
  __user_cap_header_struct header = {};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  syscall(SYS_capget, &header, data);
  return Napi::BigInt::New(info.Env(), uint64_t{data[1].effective} << 32 | data[0].effective);
}

Napi::Value NotifyFunction(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Notify(info[0].As<Napi::String>(), info[1].As<Napi::String>()));
}

Napi::Value SocketInfoFunction(const Napi::CallbackInfo& info) {
  SocketInfo socket;
  const int result = GetSocketInfo(info[0].As<Napi::Number>().Int32Value(), &socket);
  if (result < 0) return Napi::Number::New(info.Env(), result);
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("family", Napi::Number::New(info.Env(), socket.family));
  object.Set("isListening", Napi::Boolean::New(info.Env(), socket.is_listening));
  object.Set("host", Napi::String::New(info.Env(), socket.host));
  object.Set("port", Napi::Number::New(info.Env(), socket.port));
  return object;
}

Napi::Value PeerCredentialsFunction(const Napi::CallbackInfo& info) {
  PeerCredentials peer;
  const int result = GetPeerCredentials(info[0].As<Napi::Number>().Int32Value(), &peer);
  if (result < 0) return Napi::Number::New(info.Env(), result);
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("pid", Napi::Number::New(info.Env(), peer.pid));
  object.Set("uid", Napi::Number::New(info.Env(), peer.uid));
  object.Set("gid", Napi::Number::New(info.Env(), peer.gid));
  return object;
}

Napi::Value PeerGroupsFunction(const Napi::CallbackInfo& info) {
  std::vector<gid_t> groups;
  const int result = GetPeerGroups(info[0].As<Napi::Number>().Int32Value(), &groups);
  if (result < 0) return Napi::Number::New(info.Env(), result);
  Napi::Array array = Napi::Array::New(info.Env(), groups.size());
  for (uint32_t i = 0; i < groups.size(); i++) array.Set(i, Napi::Number::New(info.Env(), groups[i]));
  return array;
}

Napi::Value UnreceivedFunction(const Napi::CallbackInfo& info) {
  int bytes = 0;
  const int result = GetUnreceived(info[0].As<Napi::Number>().Int32Value(), &bytes);
  return Napi::Number::New(info.Env(), result < 0 ? result : bytes);
}

Napi::Value ReadFileFunction(const Napi::CallbackInfo& info) {
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  const int64_t result = ReadFile(info[0].As<Napi::Number>().Int32Value(), bytes.Data(), bytes.ByteLength());
  return Napi::Number::New(info.Env(), result);
}

// glibc keeps freed memory unless it is at the end of a heap. Other C libraries have no such function.
void TrimMemoryFunction(const Napi::CallbackInfo&) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void RequestFdFunction(const Napi::CallbackInfo& info) {
  (new RequestFdWorker(info[4].As<Napi::Function>(), info[0].As<Napi::String>(), info[1].As<Napi::String>(),
                       info[2].As<Napi::Number>().Uint32Value(), info[3].As<Napi::Number>().Uint32Value()))
      ->Queue();
}

Napi::Value FdStatsFunction(const Napi::CallbackInfo& info) {
  const FdStats& stats = Environment::Of(info.Env()).btf_fds.Stats();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("open", Napi::Number::New(info.Env(), stats.open));
  object.Set("closedByFinalizer", Napi::Number::New(info.Env(), stats.closed_by_finalizer));
  return object;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment());
  exports.Set("tokenCreate", Napi::Function::New<TokenCreateFunction>(env, "tokenCreate"));
  exports.Set("btfLoad", Napi::Function::New<BtfLoadFunction>(env, "btfLoad"));
  exports.Set("btfLoadSync", Napi::Function::New<BtfLoadSyncFunction>(env, "btfLoadSync"));
  exports.Set("btfGetFdById", Napi::Function::New<BtfGetFdByIdFunction>(env, "btfGetFdById"));
  exports.Set("btfInfo", Napi::Function::New<BtfInfoFunction>(env, "btfInfo"));
  exports.Set("btfRead", Napi::Function::New<BtfReadFunction>(env, "btfRead"));
  exports.Set("btfSend", Napi::Function::New<BtfSendFunction>(env, "btfSend"));
  exports.Set("btfDup", Napi::Function::New<BtfDupFunction>(env, "btfDup"));
  exports.Set("btfClose", Napi::Function::New<BtfCloseFunction<&BtfFds::Close>>(env, "btfClose"));
  exports.Set("btfCloseForgotten",
              Napi::Function::New<BtfCloseFunction<&BtfFds::CloseForgotten>>(env, "btfCloseForgotten"));
  exports.Set("btfGetNextId", Napi::Function::New<GetNextIdFunction<BtfGetNextId>>(env, "btfGetNextId"));
  exports.Set("progGetNextId", Napi::Function::New<GetNextIdFunction<ProgGetNextId>>(env, "progGetNextId"));
  exports.Set("progGetInfoById", Napi::Function::New<GetInfoByIdFunction<ProgGetInfoById>>(env, "progGetInfoById"));
  exports.Set("mapGetNextId", Napi::Function::New<GetNextIdFunction<MapGetNextId>>(env, "mapGetNextId"));
  exports.Set("mapGetInfoById", Napi::Function::New<GetInfoByIdFunction<MapGetInfoById>>(env, "mapGetInfoById"));
  exports.Set("progLoad", Napi::Function::New<ProgLoadFunction>(env, "progLoad"));
  exports.Set("capabilities", Napi::Function::New<CapabilitiesFunction>(env, "capabilities"));
  exports.Set("notify", Napi::Function::New<NotifyFunction>(env, "notify"));
  exports.Set("socketInfo", Napi::Function::New<SocketInfoFunction>(env, "socketInfo"));
  exports.Set("peerCredentials", Napi::Function::New<PeerCredentialsFunction>(env, "peerCredentials"));
  exports.Set("peerGroups", Napi::Function::New<PeerGroupsFunction>(env, "peerGroups"));
  exports.Set("unreceived", Napi::Function::New<UnreceivedFunction>(env, "unreceived"));
  exports.Set("readFile", Napi::Function::New<ReadFileFunction>(env, "readFile"));
  exports.Set("trimMemory", Napi::Function::New<TrimMemoryFunction>(env, "trimMemory"));
  exports.Set("requestFd", Napi::Function::New<RequestFdFunction>(env, "requestFd"));
  exports.Set("fdStats", Napi::Function::New<FdStatsFunction>(env, "fdStats"));
  return exports;
}

NODE_API_MODULE(btfd_native, Init)

}  // namespace
}  // namespace btfd
