// Runs a command in a new user namespace with a bpffs that delegates commands of bpf(2) to it:
//
//   delegated-bpffs FOLDER DELEGATE_CMDS COMMAND [ARGUMENT]...
//
// The bpffs is mounted at FOLDER, in a new mount namespace. DELEGATE_CMDS is the value of its option delegate_cmds, for
// example 0x40000 (BPF_BTF_LOAD), or 0 for nothing. Root and all other users keep their numbers. Needs root in the initial
// user namespace. The command keeps the process id.
//
// The bpffs belongs to the user namespace in which fsopen(2) was called, but only CAP_SYS_ADMIN in the initial one may
// delegate. So this process opens it, and a child that stays in the initial namespace configures it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// From linux/mount.h, which conflicts with sys/mount.h on some systems.
enum { SET_STRING = 1, CREATE = 6 };
enum { FROM_EMPTY_PATH = 4 };

static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "delegated-bpffs: %s: %s\n", what, strerror(errno));
  exit(125);
}

static void send_fd(int socket, int fd) {
  char byte = 0;
  char control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  check(sendmsg(socket, &message, 0) == 1, "sendmsg");
}

static int receive_fd(int socket) {
  char byte;
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  // 0 if the other process has failed and said why.
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) exit(125);
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

static void map_ids(pid_t pid, const char *file) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  check(fd >= 0, path);
  const char *all = "0 0 4294967295\n";
  check(write(fd, all, strlen(all)) == (ssize_t)strlen(all), path);
  close(fd);
}

// In the initial user namespace.
static void configure(int socket, pid_t pid, const char *delegate_cmds) {
  const int bpffs = receive_fd(socket);
  map_ids(pid, "uid_map");
  map_ids(pid, "gid_map");
  if (strcmp(delegate_cmds, "0") != 0) {
    check(syscall(SYS_fsconfig, bpffs, SET_STRING, "delegate_cmds", delegate_cmds, 0) == 0, "delegate_cmds");
  }
  check(syscall(SYS_fsconfig, bpffs, CREATE, NULL, NULL, 0) == 0, "fsconfig");
  check(write(socket, "", 1) == 1, "write");
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: delegated-bpffs FOLDER DELEGATE_CMDS COMMAND [ARGUMENT]...\n");
    return 125;
  }
  const pid_t pid = getpid();
  int sockets[2];
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "socketpair");
  const pid_t child = fork();
  check(child >= 0, "fork");
  if (child == 0) {
    close(sockets[1]);
    configure(sockets[0], pid, argv[2]);
    return 0;
  }
  close(sockets[0]);
  check(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "unshare");
  const int bpffs = syscall(SYS_fsopen, "bpf", 1);
  check(bpffs >= 0, "fsopen");
  send_fd(sockets[1], bpffs);
  char byte;
  if (read(sockets[1], &byte, 1) != 1) return 125;
  check(waitpid(child, NULL, 0) == child, "waitpid");
  const int mount = syscall(SYS_fsmount, bpffs, 1, 0);
  check(mount >= 0, "fsmount");
  check(syscall(SYS_move_mount, mount, "", AT_FDCWD, argv[1], FROM_EMPTY_PATH) == 0, argv[1]);
  execvp(argv[3], argv + 3);
  check(0, argv[3]);
}
