import { closeSync, openSync, readSync } from 'node:fs';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Range } from 'yaml';
import type { Given, Source } from './given.js';
import { didYouMean } from './nearest.js';
import type { Setting } from './setting.js';

/** Some hundred settings take a few KiB; a wrong path could name anything. */
const MAX_FILE_BYTES = 1 << 20;

/**
 * readConfigFile takes the settings from a YAML file: a map with a key for each. Problems tell file and line.
 *
 * @throws Error if the file can't be read.
 */
export function readConfigFile(path: string, settings: readonly Setting<unknown>[]): Source {
  return parseConfig(readBounded(path), path, settings);
}

/** parseConfig takes the settings from the text of a file. */
export function parseConfig(text: string, path: string, settings: readonly Setting<unknown>[]): Source {
  const lines = new LineCounter();
  const at = (offset: number): string => `${path}:${lines.linePos(offset).line}`;
  // In this schema every value is the text that was written: what it means is for the setting's kind to say.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const given = new Map<string, Given>();
  const problems = [...document.errors, ...document.warnings].map(
    ({ pos, message }) => `${at(pos[0])}: ${message}`,
  );
  const root = document.contents;
  if (problems.length > 0 || root === null || (isScalar(root) && root.value === '')) {
    return { given, problems };
  }
  if (!isMap<Node, Node | null>(root)) {
    return { given, problems: [`${at(startOf(root))}: a map of settings is needed, such as "max-ttl: 30m"`] };
  }
  for (const { key, value } of root.items) {
    const where = at(startOf(key));
    const name = isScalar(key) ? String(key.value) : '';
    const setting = settings.find((each) => each.name === name);
    if (setting === undefined) {
      const known = settings.map((each) => each.name);
      problems.push(`${where}: unknown key ${JSON.stringify(name)}${didYouMean(name, known)}`);
      continue;
    }
    const texts = textsOf(value, setting.kind.isList);
    if (texts === null) {
      const wanted = setting.kind.isList ? 'a value or a list of values' : 'one value';
      problems.push(`${where}: ${name}: ${wanted} is needed`);
    } else {
      given.set(name, { texts, origin: where, subject: `${where}: ${name}` });
    }
  }
  return { given, problems };
}

function textsOf(node: Node | null, mayBeList: boolean): string[] | null {
  const text = textOf(node);
  if (text !== null) return [text];
  if (!mayBeList || !isSeq<Node | null>(node)) return null;
  const texts: string[] = [];
  for (const item of node.items) {
    const each = textOf(item);
    if (each === null) return null;
    texts.push(each);
  }
  return texts;
}

/** Null is for what is no text: nothing, a list, a map, a reference to elsewhere in the file. */
function textOf(node: Node | null): string | null {
  if (isAlias(node) || !isScalar(node) || typeof node.value !== 'string') return null;
  return node.value === '' && node.type === 'PLAIN' ? null : node.value;
}

function startOf(node: { readonly range?: Range | null | undefined }): number {
  return node.range?.[0] ?? 0;
}

function readBounded(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      if (length > MAX_FILE_BYTES) throw new Error(`${path} has more than ${MAX_FILE_BYTES} bytes`);
      if (count === 0) return buffer.toString('utf8', 0, length);
    }
  } finally {
    closeSync(fd);
  }
}
