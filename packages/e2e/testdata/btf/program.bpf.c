// program.bpf.o is built from this file with: clang -g -O2 -target bpf -c program.bpf.c (clang 14)
#define SEC(name) __attribute__((section(name), used))

struct item {
  int a;
  long b;
};

struct {
  int (*type)[1];
  int (*max_entries)[4];
  unsigned *key;
  struct item *value;
} first SEC(".maps"), second SEC(".maps");

int counter;
int zeroed[10];
static volatile int other = 3;
const volatile int setting = 5;
char LICENSE[] SEC("license") = "GPL";

SEC("xdp") int prog(void *ctx) {
  other++;
  counter += setting;
  zeroed[1]++;
  return 2 + (long)&first + (long)&second;
}
