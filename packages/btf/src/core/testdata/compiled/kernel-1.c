/* A kernel where members moved, and became wider, narrower or of another kind. */
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;

enum color { GREEN = 7, RED = 3, BLUE = -9, MORE } color;
enum wide { HIGH = 0xfffffffe, LOW = 1 } wide;
enum wider { NEGATIVE = -2LL, LARGE = 1ULL << 41 } wider;
struct flexible {
  long before;
  int count;
  struct item { char text[3]; long number; } items[];
} flexible;
/* Packed, so that bitfields cross words. */
struct bits {
  u64 d : 40;
  unsigned : 7, a : 9, b : 20;
  unsigned c;
  u64 e : 33;
  int f : 17;
  unsigned char g : 3;
  _Bool h : 1;
} __attribute__((packed)) bits;
struct nested {
  union {
    struct { long y; struct { union { int z; char w[2]; }; }; };
    char list[4];
  };
  int table[2][6];
  long x;
} nested;
struct base { long b; int a; } base;
struct base___other { int before, more, b, c; } other;
struct declared;
struct kinds {
  u32 pointer;
  const char *text;
  int (*function)(int);
  struct base *other;
  struct declared *declared;
  u64 size;
  long number;
  _Bool flag;
  double real;
  enum color color;
} kinds;
typedef struct { long ty; int tx; } unnamed;
typedef long number;
typedef int (*function)(int, void *);
typedef struct base *base_pointer;
typedef int list[8];
typedef const struct base constant;
union both { long l; char c[4]; int i; } both;
struct lists { long before; struct base items[3]; int after; } lists;
unnamed v1;
number v2;
function v3;
base_pointer v4;
list v5;
constant v6;
u32 v7;
s8 v8;
