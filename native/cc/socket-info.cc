#include "socket-info.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace btfd {
namespace {

int GetOption(int fd, int option, int* value) {
  socklen_t size = sizeof(*value);
  return getsockopt(fd, SOL_SOCKET, option, value, &size) < 0 ? -errno : 0;
}

// A path may end with a NUL or not; an abstract name begins with one and has its length.
std::string UnixName(const sockaddr_un& address, socklen_t size) {
  constexpr size_t kStart = offsetof(sockaddr_un, sun_path);
  if (size <= kStart) return "";
  const size_t length = size - kStart;
  if (address.sun_path[0] != '\0') return std::string(address.sun_path, strnlen(address.sun_path, length));
  return "@" + std::string(address.sun_path + 1, length - 1);
}

}  // namespace

int GetSocketInfo(int fd, SocketInfo* info) {
  int type = 0;
  int accepts = 0;
  int result = GetOption(fd, SO_DOMAIN, &info->family);
  if (result == 0) result = GetOption(fd, SO_TYPE, &type);
  if (result == 0) result = GetOption(fd, SO_ACCEPTCONN, &accepts);
  if (result < 0) return result;
  info->is_listening = type == SOCK_STREAM && accepts == 1;

  union {
    sockaddr any;
    sockaddr_un unix_name;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } address = {};
  socklen_t size = sizeof(address);
  if (getsockname(fd, &address.any, &size) < 0) return -errno;
  char text[INET6_ADDRSTRLEN] = "";
  switch (info->family) {
    case AF_UNIX:
      info->host = UnixName(address.unix_name, size);
      break;
    case AF_INET:
      info->host = inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
      info->port = ntohs(address.v4.sin_port);
      break;
    case AF_INET6:
      info->host = inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
      info->port = ntohs(address.v6.sin6_port);
      break;
    default:
      break;
  }
  return 0;
}

}  // namespace btfd
