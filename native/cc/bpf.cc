#include "bpf.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

namespace btfd {
namespace {

// Of `enum bpf_cmd`, since Linux 6.9.
constexpr auto kTokenCreate = static_cast<bpf_cmd>(36);
// BPF_F_TOKEN_FD, since Linux 6.9: the token of the attributes counts.
constexpr uint32_t kTokenFdFlag = 1 << 16;

// The parts of `union bpf_attr` in use. They are declared here because the kernel headers of older distributions lack
// the newest fields. A kernel accepts a field that it does not know as long as the field is zero. No structure has
// padding.

struct TokenCreateAttr {
  uint32_t flags;
  uint32_t bpffs_fd;
};
static_assert(offsetof(TokenCreateAttr, bpffs_fd) == 4);
static_assert(sizeof(TokenCreateAttr) == 8);

struct BtfLoadAttr {
  uint64_t btf;
  uint64_t btf_log_buf;
  uint32_t btf_size;
  uint32_t btf_log_size;
  uint32_t btf_log_level;
  uint32_t btf_log_true_size;
  uint32_t btf_flags;
  int32_t btf_token_fd;
};
static_assert(offsetof(BtfLoadAttr, btf_log_buf) == 8);
static_assert(offsetof(BtfLoadAttr, btf_size) == 16);
static_assert(offsetof(BtfLoadAttr, btf_log_size) == 20);
static_assert(offsetof(BtfLoadAttr, btf_log_level) == 24);
static_assert(offsetof(BtfLoadAttr, btf_log_true_size) == 28);
static_assert(offsetof(BtfLoadAttr, btf_flags) == 32);
static_assert(offsetof(BtfLoadAttr, btf_token_fd) == 36);
static_assert(sizeof(BtfLoadAttr) == 40);

struct GetFdByIdAttr {
  uint32_t id;
  uint32_t next_id;
  uint32_t open_flags;
  int32_t token_fd;
};
static_assert(offsetof(GetFdByIdAttr, open_flags) == 8);
static_assert(offsetof(GetFdByIdAttr, token_fd) == 12);
static_assert(sizeof(GetFdByIdAttr) == 16);

struct GetNextIdAttr {
  uint32_t start_id;
  uint32_t next_id;
};
static_assert(offsetof(GetNextIdAttr, next_id) == 4);
static_assert(sizeof(GetNextIdAttr) == 8);

struct GetInfoAttr {
  uint32_t bpf_fd;
  uint32_t info_len;
  uint64_t info;
};
static_assert(offsetof(GetInfoAttr, info_len) == 4);
static_assert(offsetof(GetInfoAttr, info) == 8);
static_assert(sizeof(GetInfoAttr) == 16);

// `struct bpf_btf_info`. Linux 5.11 added the fields of the name and kernel_btf.
struct KernelBtfInfo {
  uint64_t btf;
  uint32_t btf_size;
  uint32_t id;
  uint64_t name;
  uint32_t name_len;
  uint32_t kernel_btf;
};
static_assert(offsetof(KernelBtfInfo, btf_size) == 8);
static_assert(offsetof(KernelBtfInfo, id) == 12);
static_assert(offsetof(KernelBtfInfo, name) == 16);
static_assert(offsetof(KernelBtfInfo, name_len) == 24);
static_assert(offsetof(KernelBtfInfo, kernel_btf) == 28);
static_assert(sizeof(KernelBtfInfo) == 32);

// The first fields of `struct bpf_prog_info`, up to `btf_id` of Linux 5.0, and of `struct bpf_map_info`, up to the type
// ids of Linux 4.18. A size of zero requests no data.
struct KernelProgInfo {
  uint32_t type;
  uint32_t id;
  uint8_t tag_to_map_ids[56];
  char name[BPF_OBJ_NAME_LEN];
  uint8_t ifindex_to_jited_func_lens[48];
  uint32_t btf_id;
  uint32_t func_info_rec_size;
};
static_assert(offsetof(KernelProgInfo, id) == 4);
static_assert(offsetof(KernelProgInfo, name) == 64);
static_assert(offsetof(KernelProgInfo, btf_id) == 128);
static_assert(sizeof(KernelProgInfo) == 136);

struct KernelMapInfo {
  uint32_t type;
  uint32_t id;
  uint8_t key_size_to_map_flags[16];
  char name[BPF_OBJ_NAME_LEN];
  uint8_t ifindex_to_netns_ino[24];
  uint32_t btf_id;
  uint32_t btf_key_type_id;
  uint32_t btf_value_type_id;
  uint32_t btf_vmlinux_id;
};
static_assert(offsetof(KernelMapInfo, id) == 4);
static_assert(offsetof(KernelMapInfo, name) == 24);
static_assert(offsetof(KernelMapInfo, btf_id) == 64);
static_assert(offsetof(KernelMapInfo, btf_key_type_id) == 68);
static_assert(offsetof(KernelMapInfo, btf_value_type_id) == 72);
static_assert(sizeof(KernelMapInfo) == 80);

struct ProgLoadAttr {
  uint32_t prog_type;
  uint32_t insn_cnt;
  uint64_t insns;
  uint64_t license;
};
static_assert(offsetof(ProgLoadAttr, insn_cnt) == 4);
static_assert(offsetof(ProgLoadAttr, insns) == 8);
static_assert(offsetof(ProgLoadAttr, license) == 16);
static_assert(sizeof(ProgLoadAttr) == 24);

uint64_t Address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

template <typename Attr>
int Bpf(bpf_cmd command, Attr* attr) {
  const long result = syscall(__NR_bpf, command, attr, sizeof(Attr));
  return result < 0 ? -errno : static_cast<int>(result);
}

// Takes ownership of the fd that a command returned. Fd 0 gets another number, because bpf(2) reads 0 in its attributes
// as "none".
FdOrErrno Own(int result) {
  if (result < 0) return {Fd(), -result};
  Fd fd(result);
  if (result > 0) return {std::move(fd), 0};
  return Dup(fd.Get());
}

FdOrErrno GetFdById(bpf_cmd command, uint32_t id, int token_fd) {
  GetFdByIdAttr attr = {};
  attr.id = id;
  if (token_fd != kNoToken) {
    attr.open_flags = kTokenFdFlag;
    attr.token_fd = token_fd;
  }
  return Own(Bpf(command, &attr));
}

int64_t GetNextId(bpf_cmd command, uint32_t after) {
  GetNextIdAttr attr = {};
  attr.start_id = after;
  const int result = Bpf(command, &attr);
  if (result < 0) return result;
  return attr.next_id;
}

// Fields that an older kernel does not know stay zero.
template <typename Info>
int GetInfo(int fd, Info* info) {
  GetInfoAttr attr = {};
  attr.bpf_fd = fd;
  attr.info_len = sizeof(*info);
  attr.info = Address(info);
  return Bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

template <size_t Size>
std::string ObjectName(const char (&name)[Size]) {
  return std::string(name, strnlen(name, Size));
}

ObjectInfo ToObjectInfo(const KernelProgInfo& info) { return {info.id, info.btf_id, 0, 0, ObjectName(info.name)}; }

ObjectInfo ToObjectInfo(const KernelMapInfo& info) {
  return {info.id, info.btf_id, info.btf_key_type_id, info.btf_value_type_id, ObjectName(info.name)};
}

template <typename Info>
ObjectInfoResult GetObjectInfoById(bpf_cmd get_fd, uint32_t id) {
  const FdOrErrno opened = GetFdById(get_fd, id, kNoToken);
  if (opened.error != 0) return {false, -opened.error, {}};
  Info info = {};
  const int result = GetInfo(opened.fd.Get(), &info);
  if (result < 0) return {true, result, {}};
  return {true, 0, ToObjectInfo(info)};
}

}  // namespace

FdOrErrno TokenCreate(int bpffs_fd) {
  TokenCreateAttr attr = {};
  attr.bpffs_fd = bpffs_fd;
  return Own(Bpf(kTokenCreate, &attr));
}

FdOrErrno BtfLoad(const uint8_t* bytes, uint32_t size, LogBuffer* log, int token_fd) {
  BtfLoadAttr attr = {};
  attr.btf = Address(bytes);
  attr.btf_size = size;
  if (token_fd != kNoToken) {
    attr.btf_flags = kTokenFdFlag;
    attr.btf_token_fd = token_fd;
  }
  if (log != nullptr) {
    attr.btf_log_buf = Address(log->data);
    attr.btf_log_size = log->size;
    attr.btf_log_level = 1;
  }
  FdOrErrno loaded = Own(Bpf(BPF_BTF_LOAD, &attr));
  if (log != nullptr) log->true_size = attr.btf_log_true_size;
  return loaded;
}

FdOrErrno BtfGetFdById(uint32_t id, int token_fd) { return GetFdById(BPF_BTF_GET_FD_BY_ID, id, token_fd); }

int64_t BtfGetNextId(uint32_t after) { return GetNextId(BPF_BTF_GET_NEXT_ID, after); }

int BtfGetInfo(int fd, BtfInfo* info) {
  KernelBtfInfo sizes = {};
  const int result = GetInfo(fd, &sizes);
  if (result < 0) return result;
  info->id = sizes.id;
  info->size = sizes.btf_size;
  info->kernel_btf = sizes.kernel_btf != 0;
  if (sizes.name_len == 0) return 0;

  // The reported length excludes the NUL, but the buffer must have room for it.
  info->name.resize(sizes.name_len + 1);
  KernelBtfInfo named = {};
  named.name = Address(info->name.data());
  named.name_len = info->name.size();
  const int named_result = GetInfo(fd, &named);
  info->name.resize(sizes.name_len);
  return named_result;
}

int BtfGetData(int fd, uint8_t* data, uint32_t size) {
  KernelBtfInfo info = {};
  info.btf = Address(data);
  info.btf_size = size;
  return GetInfo(fd, &info);
}

int64_t ProgGetNextId(uint32_t after) { return GetNextId(BPF_PROG_GET_NEXT_ID, after); }

int64_t MapGetNextId(uint32_t after) { return GetNextId(BPF_MAP_GET_NEXT_ID, after); }

ObjectInfoResult ProgGetInfoById(uint32_t id) {
  return GetObjectInfoById<KernelProgInfo>(BPF_PROG_GET_FD_BY_ID, id);
}

ObjectInfoResult MapGetInfoById(uint32_t id) { return GetObjectInfoById<KernelMapInfo>(BPF_MAP_GET_FD_BY_ID, id); }

int ProgLoad(uint32_t program_type, const uint8_t* instructions, uint32_t count, const char* license) {
  ProgLoadAttr attr = {};
  attr.prog_type = program_type;
  attr.insn_cnt = count;
  attr.insns = Address(instructions);
  attr.license = Address(license);
  const int result = Bpf(BPF_PROG_LOAD, &attr);
  if (result < 0) return result;
  close(result);
  return 0;
}

FdOrErrno Dup(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 1);
  if (copy < 0) return {Fd(), errno};
  return {Fd(copy), 0};
}

}  // namespace btfd
