#ifndef BTFD_SOCKET_INFO_H_
#define BTFD_SOCKET_INFO_H_

#include <cstdint>
#include <string>

namespace btfd {

// What the kernel tells of a socket that somebody else made.
struct SocketInfo {
  // AF_UNIX, AF_INET, …
  int family = 0;
  // Whether it is a stream socket that listen(2) was called on.
  bool is_listening = false;
  // The path of a unix socket, an abstract name with '@' before it, or empty; of an internet socket its address.
  std::string host;
  uint16_t port = 0;
};

// Gives 0, or an errno made negative.
int GetSocketInfo(int fd, SocketInfo* info);

}  // namespace btfd

#endif  // BTFD_SOCKET_INFO_H_
