// A congestion control of TCP, with members that Linux 6.18 has or lacks.
#include "../../object/testdata/bpf.h"

struct tcp_congestion_ops___mine {
  unsigned int (*ssthresh)(void *sk);
#ifdef BITS
  unsigned int flags : 8;
#else
  unsigned int flags;
#endif
#ifdef SIZE
  char name[8];
#elif defined(KIND)
  struct {
    char text[16];
  } name;
#else
  char name[16];
#endif
#ifdef POINTER
  void *owner;
#endif
  int no_such_member;
  void (*no_such_function)(void);
};

#ifdef KIND
#define NAME(value) .name = {.text = value}
#else
#define NAME(value) .name = value
#endif

struct no_such_ops {
  void (*function)(void);
};

SEC("struct_ops/ssthresh") unsigned int ssthresh(unsigned long long *context) { return 2; }

SEC("?struct_ops/other") unsigned int other(unsigned long long *context) { return 2; }

SEC("?struct_ops/left_out") unsigned int left_out(unsigned long long *context) { return 2; }

#ifdef STRUCT
SEC(".struct_ops") struct no_such_ops own = {.function = (void *)ssthresh};
#else
SEC(".struct_ops.link") struct tcp_congestion_ops___mine own = {
  .ssthresh = (void *)ssthresh,
  NAME("mine"),
#ifdef BITS
  .flags = 1,
#endif
#ifdef POINTER
  .owner = (void *)other,
#endif
#ifdef VALUE
  .no_such_member = 1,
#elif defined(FUNCTION)
  .no_such_function = (void *)other,
#endif
};
#endif

SEC(".struct_ops") struct tcp_congestion_ops___mine second = {.ssthresh = (void *)other, NAME("second")};

SEC("?.struct_ops") struct tcp_congestion_ops___mine third = {.ssthresh = (void *)left_out, NAME("third")};

char _license[] SEC("license") = "GPL";
