// tags-after.bpf.o is built from this file with: clang -g -target bpf -c tags-after.bpf.c (clang 14)
#define NEW __attribute__((btf_decl_tag("new")))
struct s { int x NEW; int __attribute__((btf_type_tag("user"))) *p; long y; } NEW;
struct s s NEW;
