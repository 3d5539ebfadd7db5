#include "types.h"
struct own {
  struct list list;
  const volatile struct bits embedded[2];
  struct task *task;
  union word word;
  enum color color;
  enum wide wide;
  struct opaque *opaque;
  u64 big;
  _Bool flag;
  float weight;
  struct { u32 inner : 5; } anonymous;
  struct own *next;
};
struct own own;
int own_function(struct own *self, const struct buffer *buffer, int (*call)(struct task *, short)) {
  return call(self->task, (short)self->big) + buffer->bits.low;
}
