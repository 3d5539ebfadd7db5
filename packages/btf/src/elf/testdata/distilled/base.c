#include "types.h"
#ifdef MOVED
struct added added;
#endif
struct task task;
struct buffer buffer;
_Bool flag;
short number;
int base_function(const struct buffer *buffer, struct opaque *opaque) { return buffer->bits.low + (opaque == 0); }
