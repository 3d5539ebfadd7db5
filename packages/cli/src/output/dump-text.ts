import { setFlagsFromString } from 'node:v8';
import {
  formatLayout,
  Kind,
  pointerSize,
  type PrintCOptions,
  printCChunks,
  printRaw,
  resolve,
  type Spec,
  toBpftoolJson,
  type TypeId,
} from '@btfd/btf';
import type { TextFormat } from './formats.js';
import { withSafeNames } from './safe-names.js';
import { escapeControls, nameLine, type NameLine } from './safe-text.js';

/** The least number of characters of a piece, except for the last. */
const PIECE = 64 * 1024;

/**
 * dumpText returns types as text, in pieces.
 *
 * @param ids the types; null for all of the spec's own types.
 * @param cFormat the form of C.
 * @param line returns the line of `name` for a name.
 */
export function dumpText(
  whole: Spec,
  format: TextFormat | 'yaml' | 'name',
  ids: readonly TypeId[] | null,
  cFormat: PrintCOptions = {},
  line: NameLine = nameLine,
): Iterable<string> {
  // JSON, YAML and names have their own ways to write any character.
  const spec = format === 'raw' || format === 'c' || format === 'layout' ? withSafeNames(whole) : whole;
  const some = ids ?? spec.typeIds();
  switch (format) {
    case 'c':
      return withLessOptimising(printCChunks(spec, ids === null ? cFormat : { ...cFormat, roots: ids }));
    case 'raw':
      return inPieces(mapped(some, (id) => `${printRaw(spec.typeById(id), spec)}\n`));
    case 'json':
      return inPieces(jsonLines(spec, some));
    case 'yaml':
      return inPieces(yamlLines(spec, some));
    case 'name':
      return inPieces(nameLines(spec, some, line));
    case 'layout':
      return inPieces(layouts(spec, ids));
  }
}

/**
 * Makes V8 optimise less while pieces are made. A process that prints one header spends most of its time on optimising the
 * code that prints. Less inlining takes 0.8 times the CPU time. Since Node 24, V8 has Maglev, which compiles faster: without
 * TurboFan it takes 0.77 times of that. A process that prints many headers, such as the daemon, is faster without either.
 */
function* withLessOptimising(pieces: Iterable<string>): Generator<string, void, undefined> {
  const hasMaglev = Number.parseInt(process.versions.node, 10) >= 24;
  setFlagsFromString(hasMaglev ? '--no-turbofan' : '--max-inlined-bytecode-size-cumulative=100');
  try {
    yield* pieces;
  } finally {
    // V8's default. Compiled code is only kept for the same flags.
    setFlagsFromString(hasMaglev ? '--turbofan' : '--max-inlined-bytecode-size-cumulative=920');
  }
}

function* mapped(ids: Iterable<TypeId>, text: (id: TypeId) => string): Generator<string, void, undefined> {
  for (const id of ids) yield text(id);
}

/** Writes one JSON document, with a line for each type. */
function* jsonLines(spec: Spec, ids: Iterable<TypeId>): Generator<string, void, undefined> {
  let before = '{"types":[\n';
  for (const id of ids) {
    yield before + toBpftoolJson(spec.typeById(id));
    before = ',\n';
  }
  yield before === ',\n' ? '\n]}\n' : '{"types":[]}\n';
}

/** Writes each type as JSON, which is also YAML. Numbers of 64 bits keep their value. */
function* yamlLines(spec: Spec, ids: Iterable<TypeId>): Generator<string, void, undefined> {
  let before = 'types:\n';
  for (const id of ids) {
    yield `${before}- ${escapeControls(toBpftoolJson(spec.typeById(id)))}\n`;
    before = '';
  }
  if (before !== '') yield 'types: []\n';
}

/** Writes each name once. A struct and its typedef can share one, and so can static functions of several files. */
function* nameLines(spec: Spec, ids: Iterable<TypeId>, line: NameLine): Generator<string, void, undefined> {
  const seen = new Set(['']);
  for (const id of ids) {
    const name = spec.nameOf(id);
    if (seen.has(name)) continue;
    seen.add(name);
    yield line(name);
  }
}

/** Writes structs and unions that have a name, and those that chosen typedefs stand for, each once. */
function* layouts(spec: Spec, ids: readonly TypeId[] | null): Generator<string, void, undefined> {
  const done = new Set<TypeId>();
  let before = '';
  for (const id of ids ?? spec.typeIds()) {
    const typeId = ids !== null && spec.kindOf(id) === Kind.TYPEDEF ? resolve(spec, id).id : id;
    const kind = spec.kindOf(typeId);
    if ((kind !== Kind.STRUCT && kind !== Kind.UNION) || done.has(typeId)) continue;
    if (typeId === id && spec.nameOf(id) === '') continue;
    done.add(typeId);
    yield before + formatLayout({ spec, typeId, pointerSize: pointerSize(spec) });
    before = '\n';
  }
}

function* inPieces(texts: Iterable<string>): Generator<string, void, undefined> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
