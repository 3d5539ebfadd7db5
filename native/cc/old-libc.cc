// Lets prebuilt addons run on C libraries that are older than that of the machine that builds them.
//
// libstdc++ of GCC 13 and newer reads a setting with strtoul, which glibc 2.38 renamed for programs that are compiled
// with it. Prebuilt addons contain libstdc++, so they would need that release. This definition of the new name, which
// only the addon sees, calls the old one.

extern "C" {
unsigned long old_strtoul(const char* text, char** end, int base) __asm__("strtoul");

__attribute__((visibility("hidden"))) unsigned long __isoc23_strtoul(const char* text, char** end, int base) {
  return old_strtoul(text, end, base);
}
}
