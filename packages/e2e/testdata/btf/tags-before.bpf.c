// tags-before.bpf.o is made of this by: clang -g -target bpf -c tags-before.bpf.c (clang 14)
struct s { int x; int *p; long y; } s;
