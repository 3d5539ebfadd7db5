#include "common.h"
struct right;
struct left { int id; struct right *peer; struct list link; enum color color; };
struct only_declared;
struct left the_left; union value va; struct only_declared *od;
int use_left(struct left *l, size_type n) { return l->id + (int)n; }
