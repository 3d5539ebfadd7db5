#include "read-file.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace btfd {
namespace {

// Asks for large pages in memory that is about to be filled: for new memory, page faults take longer than the copy.
void PreferLargePages(uint8_t* bytes, size_t size) {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t start = (reinterpret_cast<uintptr_t>(bytes) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(bytes) + size) / page * page;
  // Some kernels have none.
  if (start < end) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
}

// Returns how many bytes it has copied from a mapping. 0 if the file cannot be mapped or is empty.
size_t CopyFromMapping(int fd, uint8_t* bytes, size_t size) {
  struct statfs file_system;
  if (fstatfs(fd, &file_system) != 0 || file_system.f_type != SYSFS_MAGIC) return 0;
  struct stat file;
  if (fstat(fd, &file) != 0 || file.st_size <= 0) return 0;
  const size_t length = std::min(size, static_cast<size_t>(file.st_size));
  if (length == 0) return 0;
  void* mapping = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapping == MAP_FAILED) return 0;
  PreferLargePages(bytes, length);
  memcpy(bytes, mapping, length);
  munmap(mapping, length);
  return length;
}

}  // namespace

int64_t ReadFile(int fd, uint8_t* bytes, size_t size) {
  size_t length = CopyFromMapping(fd, bytes, size);
  while (length < size) {
    const ssize_t got = pread(fd, bytes + length, size - length, static_cast<off_t>(length));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    length += static_cast<size_t>(got);
  }
  return static_cast<int64_t>(length);
}

}  // namespace btfd
