#include "notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "fd.h"

namespace btfd {

int Notify(const std::string& address, const std::string& text) {
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  // A path needs its NUL, an abstract name has its length.
  const bool is_abstract = !address.empty() && address[0] == '@';
  if (address.size() + (is_abstract ? 0 : 1) > sizeof(to.sun_path)) return -ENAMETOOLONG;
  memcpy(to.sun_path, address.data(), address.size());
  if (is_abstract) to.sun_path[0] = '\0';
  const socklen_t size = offsetof(sockaddr_un, sun_path) + address.size() + (is_abstract ? 0 : 1);

  const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.Get() < 0) return -errno;
  const ssize_t sent = sendto(fd.Get(), text.data(), text.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&to), size);
  return sent < 0 ? -errno : 0;
}

}  // namespace btfd
