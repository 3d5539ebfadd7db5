#include "socket-peer.h"

#include <sys/socket.h>

#include <cerrno>

// Newer than the C library of older distributions, and alike on the architectures that Node runs on.
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

namespace btfd {

int GetPeerCredentials(int fd, PeerCredentials* credentials) {
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
  *credentials = {peer.pid, peer.uid, peer.gid};
  return 0;
}

int GetPeerGroups(int fd, std::vector<gid_t>* groups) {
  // More than nearly everybody has. The kernel tells how many there are where they don't fit.
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

}  // namespace btfd
