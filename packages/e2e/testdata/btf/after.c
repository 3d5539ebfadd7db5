struct item { int count; long flags; char name[8]; struct { int x, y; } pos; struct { short tag; short more; } slots[3]; };
enum color { RED = 1, GREEN = 5, BLUE };
enum { CONST_A = 1, CONST_B = 3 };
struct fresh { long x, y; };
typedef struct { long v; } opaque_t;
union u { int i; char c; };
struct bits { unsigned a:4, b:5; };
int f(int a, const struct item *p, long more) { return a + p->count + more; }
struct item it; enum color c; struct fresh g; opaque_t o; union u uu; struct bits bb; int k = CONST_A;
