// The agent in a virtual machine. It is linked statically, so that it runs without the libraries of the host.
//
//     guest-agent serve PORT    runs a command for each connection
//     guest-agent load          loads BTFs from standard input
//     guest-agent hold ID       holds a BTF object until it is ended
//     guest-agent first-id      prints the lowest id of a BTF object, or 0 if there is none
//
// A connection of `serve` sends a line with a command for the shell, and then the standard input of that command. It
// receives the output, errors included, and at the end a NUL and the exit status in decimal.
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMAND = 65536, MAX_BTF = 16 << 20, LOG_SIZE = 1 << 20 };

static int fail(const char *what) {
  perror(what);
  return 1;
}

/** Reads exactly `size` bytes. Returns 1, or 0 at the end of the file. */
static int read_all(int fd, void *to, size_t size) {
  for (size_t have = 0; have < size;) {
    ssize_t got = read(fd, (char *)to + have, size - have);
    if (got <= 0) return 0;
    have += got;
  }
  return 1;
}

static void write_all(int fd, const void *from, size_t size) {
  for (size_t sent = 0; sent < size;) {
    ssize_t some = write(fd, (const char *)from + sent, size - sent);
    if (some <= 0) _exit(1);
    sent += some;
  }
}

static void run_command(int connection) {
  char *command = malloc(MAX_COMMAND);
  size_t length = 0;
  while (length < MAX_COMMAND - 1 && read(connection, command + length, 1) == 1 && command[length] != '\n') length++;
  command[length] = 0;
  pid_t child = fork();
  if (child == 0) {
    for (int fd = 0; fd < 3; fd++) dup2(connection, fd);
    close(connection);
    execl("/bin/sh", "sh", "-c", command, NULL);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  char end[16];
  int size = snprintf(end, sizeof end, "%c%d", 0, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  write_all(connection, end, size);
  _exit(0);
}

static int serve(int port) {
  int one = 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 64) < 0) return fail("listen");
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) continue;
    if (fork() == 0) {
      signal(SIGCHLD, SIG_DFL);
      close(listener);
      run_command(connection);
    }
    close(connection);
  }
}

static int btf_load(const void *btf, uint32_t size, char *log) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.btf = (uintptr_t)btf;
  attr.btf_size = size;
  if (log != NULL) {
    attr.btf_log_buf = (uintptr_t)log;
    attr.btf_log_size = LOG_SIZE;
    attr.btf_log_level = 1;
  }
  // Up to the token, whose fields older kernels do not know.
  return syscall(SYS_bpf, BPF_BTF_LOAD, &attr, 28);
}

/**
 * Reads BTFs, each after its size as a little-endian 32-bit number, and prints a line for each: the errno, 0 if the
 * kernel accepts it; the microseconds of the load; and the last line of the verifier log of a second load.
 */
static int load(void) {
  char *btf = malloc(MAX_BTF);
  char *log = malloc(LOG_SIZE);
  uint32_t size;
  while (read_all(0, &size, sizeof size)) {
    if (size > MAX_BTF || !read_all(0, btf, size)) return fail("input");
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int fd = btf_load(btf, size, NULL);
    int error = fd < 0 ? errno : 0;
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (fd >= 0) close(fd);
    char *line = "";
    if (error != 0) {
      log[0] = 0;
      fd = btf_load(btf, size, log);
      if (fd >= 0) close(fd);
      size_t length = strlen(log);
      while (length > 0 && log[length - 1] == '\n') log[--length] = 0;
      line = strrchr(log, '\n') == NULL ? log : strrchr(log, '\n') + 1;
    }
    long micros = (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000;
    printf("%d %ld %s\n", error, micros, line);
    // A BTF that crashes the kernel must not take the results before it along.
    fflush(stdout);
  }
  return 0;
}

static int hold(int id) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.btf_id = id;
  if (syscall(SYS_bpf, BPF_BTF_GET_FD_BY_ID, &attr, sizeof attr) < 0) return fail("BPF_BTF_GET_FD_BY_ID");
  for (;;) pause();
}

static int first_id(void) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  if (syscall(SYS_bpf, BPF_BTF_GET_NEXT_ID, &attr, sizeof attr) < 0 && errno != ENOENT) {
    return fail("BPF_BTF_GET_NEXT_ID");
  }
  printf("%u\n", attr.next_id);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) return serve(atoi(argv[2]));
  if (argc == 2 && strcmp(argv[1], "load") == 0) return load();
  if (argc == 3 && strcmp(argv[1], "hold") == 0) return hold(atoi(argv[2]));
  if (argc == 2 && strcmp(argv[1], "first-id") == 0) return first_id();
  fprintf(stderr, "usage: guest-agent serve PORT | load | hold ID | first-id\n");
  return 2;
}
