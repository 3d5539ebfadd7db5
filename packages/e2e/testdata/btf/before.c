struct item { int count; char name[8]; struct { int x, y; } pos; struct { short tag; } slots[3]; };
enum color { RED = 1, GREEN, OLD };
enum { CONST_A = 1, CONST_B = 2 };
struct gone { long x; };
typedef struct { int v; } opaque_t;
union u { int i; char c; };
struct bits { unsigned a:3, b:5; };
int f(int a, struct item *p) { return a + p->count; }
struct item it; enum color c; struct gone g; opaque_t o; union u uu; struct bits bb; int k = CONST_A;
