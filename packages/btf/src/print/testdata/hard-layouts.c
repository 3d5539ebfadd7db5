/* Types whose layout bpftool's C does not have, for c-round-trip.gcc.test.ts. Compiled with -fms-extensions. */
struct q1 { char a; int b __attribute__((packed)); char c; } __attribute__((aligned(16)));
struct q2 { char a; int b __attribute__((packed)); } __attribute__((aligned(8)));
struct q3 { char a; int b __attribute__((packed)); char c[5]; } __attribute__((aligned(32)));
struct q4 { char a; short b __attribute__((packed)); } __attribute__((aligned(4)));
struct q5 { char a; long b __attribute__((packed)); short c; } __attribute__((aligned(8)));
struct q6 { char a; long b __attribute__((packed)); int d:3; } __attribute__((aligned(8)));
struct q7 { char a; struct q1 n[2]; };

struct base { int a; long b; };
union ub { int x; char y[16]; };
struct derived { char c; struct base; int d; };
struct derived2 { int k; union ub; struct base2 { short s; } __attribute__((packed)); };
typedef struct base base_t;
struct derived3 { char c; base_t; };

enum negative64 { N64 = -1LL } __attribute__((mode(DI)));
struct holds_negative64 { char c; enum negative64 e; };

struct q1 v1; struct q2 v2; struct q3 v3; struct q4 v4; struct q5 v5; struct q6 v6; struct q7 v7;
struct derived v8; struct derived2 v9; struct derived3 v10; struct holds_negative64 v11;
