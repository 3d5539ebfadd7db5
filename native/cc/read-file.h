#ifndef BTFD_READ_FILE_H_
#define BTFD_READ_FILE_H_

#include <cstddef>
#include <cstdint>

namespace btfd {

// Fills `bytes` from the beginning of a file of sysfs. Returns how many bytes it has got, fewer than `size` only at the
// end of the file, or a negative errno.
//
// read(2) returns one page of such a file at a time. Where the kernel allows it, the file is mapped instead: vmlinux
// since Linux 6.16 ("btf: Allow mmap of vmlinux btf"). Other files are read: a mapping of a file that becomes shorter
// ends the process.
int64_t ReadFile(int fd, uint8_t* bytes, size_t size);

}  // namespace btfd

#endif  // BTFD_READ_FILE_H_
