#include "common.h"
enum late { FIRST, SECOND };
struct left { long differs; };
struct third { struct left inside; struct list link; enum late when; volatile int *const ptr; int (*call)(struct third *, enum color); };
struct third the_third; union value vc;
int use_third(struct third *t) { return t->call(t, RED); }
