import {
  formatLayout,
  Kind,
  layoutOf,
  printCChunks,
  printRaw,
  type Spec,
  toBpftoolJson,
  type TypeId,
} from '@btfd/btf';
import { printable, escapeControls } from './safe-text.js';
import type { TextFormat } from './formats.js';

/** Characters from which a piece is handed out. */
const PIECE = 64 * 1024;

/** dumpText prints types, or all own types of a spec, in pieces. */
export function dumpText(
  spec: Spec,
  format: TextFormat | 'yaml' | 'name',
  ids: readonly TypeId[] | null,
): Iterable<string> {
  const some = ids ?? ownIds(spec);
  switch (format) {
    case 'c':
      return printCChunks(spec, ids === null ? {} : { roots: ids });
    case 'raw':
      return inPieces(mapped(some, (id) => `${printRaw(spec.typeById(id), spec)}\n`));
    case 'json':
      return inPieces(jsonLines(spec, some));
    case 'yaml':
      return inPieces(yamlLines(spec, some));
    case 'name':
      return inPieces(nameLines(spec, some));
    case 'layout':
      return inPieces(layouts(spec, some));
  }
}

function* ownIds(spec: Spec): Generator<TypeId, void, undefined> {
  for (let id = spec.firstTypeId; id < spec.endTypeId; id++) yield id;
}

function* mapped(ids: Iterable<TypeId>, text: (id: TypeId) => string): Generator<string, void, undefined> {
  for (const id of ids) yield text(id);
}

/** One JSON document, with a line for each type. */
function* jsonLines(spec: Spec, ids: Iterable<TypeId>): Generator<string, void, undefined> {
  let before = '{"types":[\n';
  for (const id of ids) {
    yield before + toBpftoolJson(spec.typeById(id));
    before = ',\n';
  }
  yield before === ',\n' ? '\n]}\n' : '{"types":[]}\n';
}

/** The JSON of each type is YAML too, with numbers of 64 bits whole. */
function* yamlLines(spec: Spec, ids: Iterable<TypeId>): Generator<string, void, undefined> {
  let before = 'types:\n';
  for (const id of ids) {
    yield `${before}- ${escapeControls(toBpftoolJson(spec.typeById(id)))}\n`;
    before = '';
  }
  if (before !== '') yield 'types: []\n';
}

/** Each name once: of a struct and the typedef of it, of functions that are static in several files. */
function* nameLines(spec: Spec, ids: Iterable<TypeId>): Generator<string, void, undefined> {
  const told = new Set(['']);
  for (const id of ids) {
    const name = spec.nameOf(id);
    if (told.has(name)) continue;
    told.add(name);
    yield `${printable(name)}\n`;
  }
}

function* layouts(spec: Spec, ids: Iterable<TypeId>): Generator<string, void, undefined> {
  let before = '';
  for (const id of ids) {
    const kind = spec.kindOf(id);
    if ((kind !== Kind.STRUCT && kind !== Kind.UNION) || spec.nameOf(id) === '') continue;
    yield before + formatLayout(layoutOf(spec, id));
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
