#ifndef BTFD_SOCKET_PEER_H_
#define BTFD_SOCKET_PEER_H_

#include <sys/types.h>

#include <vector>

// Who is at the other end of a unix socket, as the kernel noted it when the peer connected.
namespace btfd {

// SO_PEERCRED.
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Both give 0, or an errno made negative.
int GetPeerCredentials(int fd, PeerCredentials* credentials);

// SO_PEERGROUPS (Linux 4.13): the supplementary groups, which need not have the primary one.
int GetPeerGroups(int fd, std::vector<gid_t>* groups);

}  // namespace btfd

#endif  // BTFD_SOCKET_PEER_H_
