// The few declarations of libbpf's headers that the sources of this folder need.
#define SEC(name) __attribute__((section(name), used))
#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))
#define __hidden __attribute__((visibility("hidden")))
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name

typedef _Bool bool;
enum libbpf_tristate { TRI_NO, TRI_YES, TRI_MODULE };
