#ifndef BTFD_BPF_H_
#define BTFD_BPF_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "fd.h"

// The bpf(2) commands, one function each. An int result is 0 or more, or an errno made negative, as in the kernel.
// No call is repeated: what the kernel answered is what the caller gets, EAGAIN and EINTR included (BTF commands
// give neither; BPF_PROG_LOAD gives EAGAIN when a signal is pending).
namespace btfd {

// Room for the verifier's log, and what the kernel said about it.
struct LogBuffer {
  char* data = nullptr;
  uint32_t size = 0;
  // Bytes the whole log needs with its NUL. Linux 6.4+ writes it; 0 where the kernel didn't.
  uint32_t true_size = 0;
};

// What BPF_OBJ_GET_INFO_BY_FD tells of a BTF object.
struct BtfInfo {
  uint32_t id = 0;
  uint32_t size = 0;
  bool kernel_btf = false;
  std::string name;
};

// What BPF_OBJ_GET_INFO_BY_FD tells of a program or a map.
struct ObjectInfo {
  uint32_t id = 0;
  // Of the BTF object that it was loaded with; 0 without one.
  uint32_t btf_id = 0;
  std::string name;
};

// How reading the info of the object with an id ended. `opened` tells which of its two commands gave the result.
struct ObjectInfoResult {
  bool opened = false;
  int result = 0;
  ObjectInfo info;
};

FdOrErrno BtfLoad(const uint8_t* bytes, uint32_t size, LogBuffer* log);
FdOrErrno BtfGetFdById(uint32_t id);
int64_t BtfGetNextId(uint32_t after);
// Fetches no BTF data.
int BtfGetInfo(int fd, BtfInfo* info);
int BtfGetSize(int fd, uint32_t* size);
int BtfGetData(int fd, uint8_t* data, uint32_t size);
int64_t ProgGetNextId(uint32_t after);
int64_t MapGetNextId(uint32_t after);
// These open the object, read and close it again.
ObjectInfoResult ProgGetInfoById(uint32_t id);
ObjectInfoResult MapGetInfoById(uint32_t id);
int ProgLoad(uint32_t program_type, const uint8_t* instructions, uint32_t count, const char* license);
FdOrErrno Dup(int fd);

}  // namespace btfd

#endif  // BTFD_BPF_H_
