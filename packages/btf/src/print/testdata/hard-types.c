/* Types whose layout C does not follow by itself, for print-c.gcc.test.ts. */
typedef unsigned long long u64; typedef unsigned char u8; typedef unsigned short u16;
struct packed { char c; long l; short s; } __attribute__((packed));
struct packed_in { int a; struct packed p; char t; };
union packed_union { long l; char c[9]; } __attribute__((packed));
union aligned_union { char c[3]; int i; } __attribute__((aligned(16)));
union packed_aligned { long l; char c[9]; } __attribute__((packed, aligned(2)));
struct with_unions { char a; union packed_union u; char b; union aligned_union v; };
struct aligned64 { int a; int b __attribute__((aligned(64))); char c; } __attribute__((aligned(64)));
struct holds_aligned { char x; struct aligned64 y; int z; };
struct bits { unsigned a:3; unsigned :5; unsigned b:7; int c; u64 d:33; u64 e:40; u8 f:1; unsigned :0; u8 g:2; short h; };
struct packed_bits { u8 a:3; u16 b:11; unsigned c:20; char d; } __attribute__((packed));
enum small { S0, S1 } __attribute__((packed));
enum medium { M0, M1 = 300 } __attribute__((packed));
enum big { B0, B1 = 0x100000000ULL };
enum neg { N0 = -5, N1 = 0x7fffffff };
struct enums { enum small s; enum medium m; enum big b; enum neg n; u8 t; };
struct fn { int (*plain)(void); int (*arr[3])(int, char *); int (*(*ret)(int))(long); const char *const *restrict p; volatile int (*pa)[4]; int m[2][3][4]; int (*fp[2][2])(struct fn *, ...); };
struct anon { int k; struct { int a; union { long b; char c[3]; }; } in[2]; enum { X, Y } e; struct { struct { int z; }; } *ptr; };
struct int128 { char c; __int128 v; }; 
struct zero { int n; char data[]; };
struct empty { };
struct has_empty { int a; struct empty e; char b; };
struct tail { long l; char c; };
struct shortpad { short a; char b; long :48; char c; };
struct self { struct self *next; struct other *o; }; struct other { struct self s; };
struct packed_ptr { char c; void *p; } __attribute__((packed, aligned(4)));
struct arr_packed { int n; struct packed_ptr a[3]; };
struct ld { char c; long double v; double d; float f; _Bool b; };
union u_of_s { struct packed p; struct bits b; };
struct bitunion { union { struct { u8 a:4, b:4; }; u8 c; }; u16 d:9; };

/* Variables keep the types in the debug information. */
struct packed v1; struct packed_in v2; union packed_union v3; union aligned_union v4; struct with_unions v5;
struct aligned64 v6; struct holds_aligned v7; struct bits v8; struct packed_bits v9; struct enums v10;
struct fn v11; struct anon v12; struct int128 v13; struct zero v14; struct empty v15; struct has_empty v16;
struct tail v17; struct shortpad v18; struct other v19; struct arr_packed v20; struct ld v21; union u_of_s v22;
struct bitunion v23; union packed_aligned v24;
