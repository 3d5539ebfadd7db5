// What a kernel has. With MOVED, as another kernel has it: another order, other ids, types that grew.
typedef unsigned int u32;
typedef unsigned long long u64;
struct list { struct list *next, *prev; };
struct opaque;
enum color { RED, GREEN };
enum wide { WIDE = 0x100000000ULL };
union word { u32 number; unsigned char bytes[4]; };
struct bits { u32 low : 3, high : 29; };
#ifdef MOVED
struct added { long double first; struct list list; };
struct task { struct list list; u64 added; char name[16]; struct opaque *opaque; enum color color; };
#else
struct task { struct list list; char name[16]; struct opaque *opaque; enum color color; };
#endif
struct buffer { struct task *owner; union word word; struct bits bits; enum wide wide; float weight; double mean; };
