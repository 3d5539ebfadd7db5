#ifndef BTFD_BPF_H_
#define BTFD_BPF_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "fd.h"

// The bpf(2) commands, one function each. An int result is 0 or more, or a negative errno, as in the kernel. No call is
// repeated: the caller gets the kernel's result, including EAGAIN and EINTR. BTF commands return neither. BPF_PROG_LOAD
// returns EAGAIN if a signal is pending.
namespace btfd {

// A buffer for the kernel's log, and the size that the kernel reported for it.
struct LogBuffer {
  char* data = nullptr;
  uint32_t size = 0;
  // Size of the whole log with its NUL. Written since Linux 6.4, 0 before.
  uint32_t true_size = 0;
};

// The info of a BTF object, from BPF_OBJ_GET_INFO_BY_FD.
struct BtfInfo {
  uint32_t id = 0;
  uint32_t size = 0;
  bool kernel_btf = false;
  std::string name;
};

// The info of a program or a map, from BPF_OBJ_GET_INFO_BY_FD.
struct ObjectInfo {
  uint32_t id = 0;
  // The BTF object that it was loaded with. 0 if it has none.
  uint32_t btf_id = 0;
  // The types of the keys and the values of a map. 0 for none, and for programs.
  uint32_t btf_key_type_id = 0;
  uint32_t btf_value_type_id = 0;
  std::string name;
};

// The result of reading the info of the object with an id. If `opened`, it is the result of BPF_OBJ_GET_INFO_BY_FD,
// otherwise that of opening the object.
struct ObjectInfoResult {
  bool opened = false;
  int result = 0;
  ObjectInfo info;
};

// The fd of a BPF token in the place of the one that a call could use.
constexpr int kNoToken = -1;

FdOrErrno TokenCreate(int bpffs_fd);
FdOrErrno BtfLoad(const uint8_t* bytes, uint32_t size, LogBuffer* log, int token_fd);
FdOrErrno BtfGetFdById(uint32_t id, int token_fd);
int64_t BtfGetNextId(uint32_t after);
// Fetches no BTF data.
int BtfGetInfo(int fd, BtfInfo* info);
int BtfGetData(int fd, uint8_t* data, uint32_t size);
int64_t ProgGetNextId(uint32_t after);
int64_t MapGetNextId(uint32_t after);
// Both open the object, read its info and close it.
ObjectInfoResult ProgGetInfoById(uint32_t id);
ObjectInfoResult MapGetInfoById(uint32_t id);
int ProgLoad(uint32_t program_type, const uint8_t* instructions, uint32_t count, const char* license);
FdOrErrno Dup(int fd);

}  // namespace btfd

#endif  // BTFD_BPF_H_
