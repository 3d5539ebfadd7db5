struct list { struct list *next, *prev; };
enum color { RED, GREEN = 5 };
union value { long number; char text[8]; const void *pointer; };
typedef unsigned long size_type;
