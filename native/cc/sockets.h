#ifndef BTFD_SOCKETS_H_
#define BTFD_SOCKETS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fd.h"

// Calls about unix and inherited sockets that Node lacks. Each returns 0 or a negative errno.
namespace btfd {

// A socket that another process created.
struct SocketInfo {
  // AF_UNIX, AF_INET, …
  int family = 0;
  // Whether it is a stream socket that listens.
  bool is_listening = false;
  // The path of a unix socket, '@' and its abstract name, or empty; the address of an internet socket.
  std::string host;
  uint16_t port = 0;
};

int GetSocketInfo(int fd, SocketInfo* info);

// The process at the other end of a unix socket, as the kernel recorded it when the peer connected.
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// SO_PEERCRED.
int GetPeerCredentials(int fd, PeerCredentials* credentials);

// SO_PEERGROUPS (Linux 4.13): the supplementary groups, which may or may not include the primary one.
int GetPeerGroups(int fd, std::vector<gid_t>* groups);

// Sends one datagram to a unix socket: a path, or '@' and a name in the abstract namespace. Never waits.
int Notify(const std::string& address, const std::string& text);

// Sends a text and an fd over a connected unix socket. Never waits: -EAGAIN if the socket is full.
int SendFd(int socket, const std::string& text, int fd);

// SIOCOUTQ: about how many bytes of memory hold data that the peer of a unix socket has not received; 0 if it has received
// everything, or has closed the connection.
int GetUnreceived(int socket, int* bytes);

// A text from a peer, and an fd or -1.
struct Received {
  std::string text;
  Fd fd;
};

// Connects to the path of a unix socket, sends a request, and receives one line of at most `max_size` bytes with at most
// one fd, which is close-on-exec. Waits for the peer for up to `timeout_ms` in each step: -EAGAIN if it takes longer.
// -EMSGSIZE if the peer sends more.
int RequestFd(const std::string& path, const std::string& request, size_t max_size, uint32_t timeout_ms,
              Received* received);

}  // namespace btfd

#endif  // BTFD_SOCKETS_H_
