import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BtfReadError } from '../format-error.js';
import { CPrinter, sourceOf } from '../print/c-printer.js';
import { alignof } from '../query/alignof.js';
import { children } from '../query/references.js';
import { resolve } from '../query/resolve.js';
import { Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';

/** RoundTrip is the result of {@link roundTrip}. */
export interface RoundTrip {
  /** The number of named types that were compared. */
  readonly types: number;
  /** The first types that a compiler gives another layout: the layout in the BTF, and that of the compiler. */
  readonly wrong: readonly string[];
  /** The number of types that C cannot state, and so are bytes. */
  readonly bytes: number;
}

/**
 * roundTrip prints all types of a spec as C, compiles them with GCC without `-fms-extensions`, lets pahole encode the
 * result, and compares the size, the alignment and all offsets of each named struct and union, and the size and the values
 * of each named enum.
 *
 * @throws Error with the output of the compiler if the header does not compile.
 */
export function roundTrip(spec: Spec): RoundTrip {
  const printer = new CPrinter(sourceOf(spec), { pointerSize: 8, maxBytes: 1 << 28, assertions: false });
  for (const id of spec.typeIds(1)) printer.define(id);
  const named = new Map<TypeId, string>();
  const lines = [printer.out.take()];
  for (const id of spec.typeIds(1)) {
    const type = spec.typeById(id);
    const expected = expectedLayout(spec, type);
    if (expected === null || !printer.defines(id)) continue;
    named.set(id, printer.identifierOf(id));
    if (type.kind !== 'STRUCT' && type.kind !== 'UNION') continue;
    const alignment = `_Alignof(${type.kind.toLowerCase()} ${printer.identifierOf(id)})`;
    const inferred = inferredAlignment(spec, id);
    const sizes = addSizes(spec, id, new Set());
    // C has no alignment of 3.
    if (inferred === null || sizes.has(3)) continue;
    // libbpf infers at most the size of a pointer. The ABI aligns __int128 to 16.
    const isRight = `${alignment} == ${inferred}${inferred === 8 && sizes.has(16) ? ` || ${alignment} == 16` : ''}`;
    lines.push(`_Static_assert(${isRight}, "alignment of ${printer.identifierOf(id)}");`);
  }
  const compiled = compiledLayouts(lines.join('\n'));
  const wrong: string[] = [];
  const isBytes = (id: TypeId): boolean => printer.isBytes(id);
  for (const [id, name] of named) {
    const type = spec.typeById(id);
    const actual = compiled.get(`${keyword(type)} ${name}`) ?? 'none';
    const expected = printer.isBytes(id) ? `${sizeOf(type)} ` : expectedLayout(spec, type, isBytes);
    // Arrays of bytes are not in the BTF.
    if (
      actual !== expected &&
      actual.replaceAll(/ \d+:0 bytes(?:_\d+)?\b/g, '').padEnd(expected?.length ?? 0) !== expected
    )
      wrong.push(`${keyword(type)} ${name}: ${expected} <> ${actual}`);
  }
  return { types: named.size, wrong, bytes: printer.bytesCount };
}

/** Returns the layout of each named type in a C text. */
function compiledLayouts(text: string): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'btf-round-trip-'));
  try {
    const [source, object, btf] = ['types.c', 'types.o', 'btf'].map((name) => join(folder, name));
    writeFileSync(source ?? '', text);
    const flags = [
      '-std=gnu11',
      '-w',
      '-g',
      '-fno-eliminate-unused-debug-types',
      '-c',
      source ?? '',
      '-o',
      object ?? '',
    ];
    execFileSync('gcc', flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    execFileSync('pahole', ['--btf_features=default', `--btf_encode_detached=${btf}`, object ?? ''], {
      stdio: 'pipe',
    });
    const spec = Spec.parse(new Uint8Array(readFileSync(btf ?? '')));
    const layouts = new Map<string, string>();
    for (const type of spec) {
      const layout = expectedLayout(spec, type);
      if (layout !== null) layouts.set(`${keyword(type)} ${type.name}`, layout);
    }
    return layouts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns null for a type that has a part without an alignment, such as a declared struct. */
function inferredAlignment(spec: Spec, id: TypeId): number | null {
  try {
    return alignof(spec, id, { pointerSize: 8 });
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

function keyword({ kind }: Type): string {
  return kind === 'ENUM64' ? 'enum' : kind.toLowerCase();
}

function sizeOf(type: Type): number {
  return 'size' in type ? type.size : 0;
}

/**
 * Returns the layout of a named type as text; null for a type without a layout.
 *
 * @param isOpaque whether an anonymous struct is an array of bytes, so that its members do not count.
 */
function expectedLayout(
  spec: Spec,
  type: Type,
  isOpaque: (id: TypeId) => boolean = () => false,
): string | null {
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
      return type.name === '' ? null : `${type.size} ${membersOf(spec, type, 0, isOpaque).join(' ')}`;
    case 'ENUM':
    case 'ENUM64':
      if (type.name === '' || type.values.length === 0) return null;
      return `${type.size} ${type.values.map(({ value }) => BigInt.asUintN(64, BigInt(value))).join(' ')}`;
    default:
      return null;
  }
}

/** Returns the offset and the name of each member, with those of anonymous structs as if they were its own. */
function membersOf(
  spec: Spec,
  type: Extract<Type, { kind: 'STRUCT' | 'UNION' }>,
  from: number,
  isOpaque: (id: TypeId) => boolean,
): string[] {
  return type.members.flatMap(({ name, typeId, bitOffset, bitfieldSize }) => {
    const bare = resolve(spec, typeId);
    if (name === '') {
      if ((bare.kind !== 'STRUCT' && bare.kind !== 'UNION') || isOpaque(bare.id)) return [];
      return membersOf(spec, bare, from + bitOffset, isOpaque);
    }
    let [offset, width] = [bitOffset, bitfieldSize];
    // Before Linux 4.20, an INT had the width of a bitfield.
    if (width === 0 && bare.kind === 'INT' && bare.bits < bare.size * 8) {
      offset += bare.bitOffset;
      width = bare.bits;
    }
    const identifier = name
      .replaceAll(/[^\w]/g, '_')
      .replace(/^\d/, '_$&')
      .replace(/^while$/, '$&_');
    return [`${from + offset}:${width} ${identifier}`];
  });
}

/** Adds the sizes of the numbers that are parts of a type. */
function addSizes(spec: Spec, id: TypeId, sizes: Set<number>): Set<number> {
  const type = spec.typeById(id);
  if (type.kind === 'INT' || type.kind === 'FLOAT') sizes.add(type.size);
  else if (type.kind !== 'PTR' && type.kind !== 'FUNC_PROTO') {
    for (const child of children(type)) addSizes(spec, child, sizes);
  }
  return sizes;
}
