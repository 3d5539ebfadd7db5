/** Rebuilt is a BTF made of the types of another one. */
export interface Rebuilt {
  readonly bytes: Uint8Array;
  /** New ids by old ids; 0 for types that were left out (and for void). */
  readonly ids: Int32Array;
}
