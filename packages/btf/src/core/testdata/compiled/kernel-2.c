/* A kernel that lacks most of them, with two structs that agree about a member. */
enum color { OTHER } color;
struct base { long b; } base;
struct base___same { long b; char c; } same;
struct bits { int a; } bits;
typedef char number;
number v1;
