import { type Spec, typesOf } from '../spec.js';
import type { TextSpan } from '../strings.js';
import { kindOfInfo } from '../words.js';

/** Maximum number of types with a shape, more than any kernel has. */
const MAX_TYPES = 2 ** 18;

/** Longer names have this length. */
const MAX_LENGTH = 127;

const KIND_BITS = 7;
const BYTE_BITS = 8;
const LENGTH_BITS = 7;
const BYTE_SHIFT = KIND_BITS;
const LENGTH_SHIFT = BYTE_SHIFT + BYTE_BITS;
const FLAVOUR_SHIFT = LENGTH_SHIFT + LENGTH_BITS;

const UNDERSCORE = 0x5f;

/** NameShape is what a search for similar names first looks at. */
export interface NameShape {
  /** The first byte of the names. */
  readonly firstByte: number;
  /** Bytes, of 127 at most. Names of kernels have one byte for each character. */
  readonly least: number;
  readonly most: number;
  /** Names of another length that are wanted, too. */
  readonly orLength: number;
  /** The numbers of the kinds (see `Kind`); null for all. */
  readonly kinds: readonly number[] | null;
}

const shapesOfSpecs = new WeakMap<Spec, Uint32Array>();

/**
 * indexesOfShape returns the indexes of the own types of a spec whose names have a shape, and of those whose names have a
 * flavour of any length. The first call on a spec reads the beginnings of all names, and keeps a word for each.
 */
export function indexesOfShape(spec: Spec, shape: NameShape): number[] {
  const { firstByte, least, most, orLength, kinds } = shape;
  let shapes = shapesOfSpecs.get(spec);
  if (shapes === undefined) {
    shapes = readShapes(spec);
    shapesOfSpecs.set(spec, shapes);
  }
  const isKind = new Uint8Array(1 << KIND_BITS).fill(kinds === null ? 1 : 0);
  for (const kind of kinds ?? []) isKind[kind] = 1;
  const found: number[] = [];
  for (let index = 0; index < shapes.length; index++) {
    const word = shapes[index] ?? 0;
    if (((word >>> BYTE_SHIFT) & 0xff) !== firstByte || isKind[word & 0x7f] !== 1) continue;
    const length = (word >>> LENGTH_SHIFT) & MAX_LENGTH;
    const hasFlavour = word >>> FLAVOUR_SHIFT === 1;
    if ((length >= least && length <= most) || length === orLength || hasFlavour) found.push(index);
  }
  return found;
}

function readShapes(spec: Spec): Uint32Array {
  const { source, offsets } = typesOf(spec);
  const { words, strings } = source;
  const shapes = new Uint32Array(Math.min(offsets.length, MAX_TYPES));
  const span: TextSpan = { bytes: new Uint8Array(), from: 0, to: 0 };
  for (let index = 0; index < shapes.length; index++) {
    const at = offsets[index] ?? 0;
    strings.findRaw(words.u32(at), span);
    shapes[index] = kindOfInfo(words.i32(at + 4)) | (shapeOf(span) << BYTE_SHIFT);
  }
  return shapes;
}

/** Returns the first byte of a name, its length, and whether it has three underscores after its first byte. */
function shapeOf({ bytes, from, to }: TextSpan): number {
  const end = Math.min(to, from + MAX_LENGTH);
  let underscores = 0;
  let hasFlavour = 0;
  let at = from;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0) break;
    underscores = byte === UNDERSCORE ? underscores + 1 : 0;
    if (underscores === 3) hasFlavour = 1;
  }
  const firstByte = at === from ? 0 : (bytes[from] ?? 0);
  return firstByte | ((at - from) << BYTE_BITS) | (hasFlavour << (BYTE_BITS + LENGTH_BITS));
}
