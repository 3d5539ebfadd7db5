#include "common.h"
struct left;
enum late;
struct right { int id; struct left *peer; struct list link; unsigned flags : 3, more : 5; enum late *late; };
struct right the_right; union value vb;
static int helper(const struct right *r) { return r->id; }
int use_right(struct right *r, size_type n) { return helper(r) + (int)n; }
