// tags-before.bpf.o is built from this file with: clang -g -target bpf -c tags-before.bpf.c (clang 14)
struct s { int x; int *p; long y; } s;
