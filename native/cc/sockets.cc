#include "sockets.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "fd.h"

// Missing in the C libraries of older distributions. The same on all architectures that Node supports.
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

namespace btfd {
namespace {

int GetOption(int fd, int option, int* value) {
  socklen_t size = sizeof(*value);
  return getsockopt(fd, SOL_SOCKET, option, value, &size) < 0 ? -errno : 0;
}

// A path may end with a NUL. An abstract name begins with one, and its length is given.
std::string UnixName(const sockaddr_un& address, socklen_t size) {
  constexpr size_t kStart = offsetof(sockaddr_un, sun_path);
  if (size <= kStart) return "";
  const size_t length = size - kStart;
  if (address.sun_path[0] != '\0') return std::string(address.sun_path, strnlen(address.sun_path, length));
  return "@" + std::string(address.sun_path + 1, length - 1);
}

// Appends what has arrived. Returns its size, 0 at the end, or a negative errno.
int ReceivePart(int socket, size_t max_size, Received* received) {
  std::string text(max_size, '\0');
  iovec part = {text.data(), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  // Without the padding, in which a second fd would fit.
  message.msg_controllen = CMSG_LEN(sizeof(int));
  const ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return -errno;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    memcpy(&fd, CMSG_DATA(header), sizeof(int));
    // A second one replaces the first, which closes that.
    received->fd = Fd(fd);
  }
  received->text.append(text, 0, size);
  // The kernel has closed the fds that did not fit.
  return (message.msg_flags & MSG_CTRUNC) != 0 ? -EMSGSIZE : static_cast<int>(size);
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

int GetPeerCredentials(int fd, PeerCredentials* credentials) {
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
  *credentials = {peer.pid, peer.uid, peer.gid};
  return 0;
}

int GetPeerGroups(int fd, std::vector<gid_t>* groups) {
  // More than almost every process has. If they do not fit, the kernel reports the size needed.
  groups->resize(64);
  for (;;) {
    socklen_t length = groups->size() * sizeof(gid_t);
    const int result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups->data(), &length);
    const int error = errno;
    if (result < 0 && error != ERANGE) return -error;
    groups->resize(length / sizeof(gid_t));
    if (result == 0) return 0;
  }
}

int Notify(const std::string& address, const std::string& text) {
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  // A path needs its NUL. An abstract name has a length instead.
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

int SendFd(int socket, const std::string& text, int fd) {
  // A byte of data carries the fd.
  iovec part = {const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof(int));
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int GetUnreceived(int socket, int* bytes) { return ioctl(socket, SIOCOUTQ, bytes) < 0 ? -errno : 0; }

int RequestFd(const std::string& path, const std::string& request, size_t max_size, uint32_t timeout_ms,
              Received* received) {
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof(to.sun_path)) return -ENAMETOOLONG;
  memcpy(to.sun_path, path.data(), path.size());

  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.Get() < 0) return -errno;
  const timeval timeout = {static_cast<time_t>(timeout_ms / 1000), static_cast<suseconds_t>(timeout_ms % 1000 * 1000)};
  // The timeout for sending is also that for connecting.
  if (setsockopt(fd.Get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0) return -errno;
  if (setsockopt(fd.Get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0) return -errno;
  if (connect(fd.Get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) < 0) return -errno;
  if (send(fd.Get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return -errno;
  for (;;) {
    const int result = ReceivePart(fd.Get(), max_size + 1 - received->text.size(), received);
    if (result < 0) return result;
    if (result == 0 || received->text.back() == '\n') return 0;
    if (received->text.size() > max_size) return -EMSGSIZE;
  }
}

}  // namespace btfd
