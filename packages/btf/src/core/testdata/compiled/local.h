/* Types as an object was compiled with them, and the questions of CO-RE about them. */
#define CORE __attribute__((preserve_access_index))
#define SEC(name) __attribute__((section(name), used))

typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;

enum color { RED = 0, GREEN = 1, BLUE = -5, LAST = 0x7fffffff };
enum wide { LOW = 0, HIGH = 0xffffffff };
enum wider { LARGE = 1ULL << 40, NEGATIVE = -1LL };
struct flexible {
  int count;
  struct item { int number; char text[3]; } items[];
} CORE;
struct bits {
  unsigned a : 3, b : 29, c : 1;
  u64 d : 40, e : 20;
  int f : 5;
  unsigned char g : 7;
  _Bool h : 1;
} CORE;
struct nested {
  int x;
  union {
    struct { int y; struct { union { long z; char w; }; }; };
    int list[4];
  };
  int table[3][5];
} CORE;
struct base { int a, b; } CORE;
struct base___old { int a; } CORE;
struct base___new { long b; } CORE;
struct declared;
struct kinds {
  void *pointer;
  const char *text;
  int (*function)(int, long);
  struct base *other;
  struct declared *declared;
  u32 size;
  int number;
  _Bool flag;
  float real;
  enum color color;
} CORE;
typedef struct { int tx; long ty; } CORE unnamed;
typedef int number;
typedef int (*function)(int, void *);
typedef struct base *base_pointer;
typedef int list[4];
typedef const volatile struct base constant;
union both { int i; long l; char c[16]; } CORE;
struct lists { struct base items[4]; int empty[0]; int after; } CORE;
struct gone { int member; } CORE;

char LICENSE[] SEC("license") = "GPL";
volatile u64 result;

#define FIELD(place, kind) result += __builtin_preserve_field_info(place, kind)
#define PLACE(place) FIELD(place, 0); FIELD(place, 1); FIELD(place, 2)
#define SCALAR(place) PLACE(place); FIELD(place, 3); FIELD(place, 4); FIELD(place, 5)
#define TYPE(type) \
  result += __builtin_preserve_type_info(*(type *)0, 0); \
  result += __builtin_preserve_type_info(*(type *)0, 1); \
  result += __builtin_btf_type_id(*(type *)0, 0); \
  result += __builtin_btf_type_id(*(type *)0, 1)
#define VALUE(type, value) \
  result += __builtin_preserve_enum_value(*(type *)value, 0); \
  result += __builtin_preserve_enum_value(*(type *)value, 1)
#define LOAD(place) result += (u64)(place)
