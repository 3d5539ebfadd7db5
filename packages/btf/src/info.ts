// The masks of Linux 7.2 read the info words of every release: what it added was zero before.

/** kindOfInfo is the kind in a type's info word. */
export function kindOfInfo(info: number): number {
  return (info >>> 24) & 0x7f;
}

/** vlenOfInfo is the count of elements in a type's info word; a FUNC has its linkage there. */
export function vlenOfInfo(info: number): number {
  return info & 0xffffff;
}

/** kindFlagOfInfo is the kind flag in a type's info word. */
export function kindFlagOfInfo(info: number): boolean {
  return info < 0 || info > 0x7fffffff;
}
