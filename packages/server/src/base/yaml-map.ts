import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument, type ParsedNode } from 'yaml';

/** 1 MiB: hundreds of settings take a few KiB, and thousands of principals fit. A wrong path could name any file. */
const MAX_FILE_BYTES = 1 << 20;

/** YamlField is a key of a map in a YAML file, with its value. */
export interface YamlField {
  readonly name: string;
  readonly key: ParsedNode;
  readonly value: ParsedNode | null;
}

/**
 * readYamlFile returns the text of a file.
 *
 * @param check throws an error if the open file must not be used.
 * @throws Error if the file cannot be read, or has more than 1 MiB.
 */
export function readYamlFile(path: string, check?: (stats: Stats) => void): string {
  const fd = openSync(path, 'r');
  try {
    check?.(fstatSync(fd));
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

/** YamlMap is the map at the top of a YAML file, as fields with their lines. */
export class YamlMap {
  /** Empty if there are problems, or if the file has nothing but comments. */
  readonly fields: readonly YamlField[];
  /** Errors of the file as YAML, each with its line. */
  readonly problems: readonly string[];
  readonly #lines = new LineCounter();
  readonly #path: string;

  /**
   * @param schema `failsafe` makes every value a text, `core` also makes booleans and numbers.
   * @param expected describes the map in the message about a file that is something else.
   */
  constructor(text: string, path: string, schema: 'failsafe' | 'core', expected: string) {
    this.#path = path;
    const document = parseDocument(text, { schema, lineCounter: this.#lines, prettyErrors: false });
    const problems = [...document.errors, ...document.warnings].map(
      ({ pos, message }) => `${this.#at(pos[0])}: ${message}`,
    );
    const root = document.contents;
    const isEmpty = root === null || (isScalar(root) && (root.value ?? '') === '');
    if (problems.length > 0 || isEmpty) {
      this.fields = [];
      this.problems = problems;
    } else if (isMap(root)) {
      this.fields = root.items.map(({ key, value }) => ({ name: nameOf(key), key, value }));
      this.problems = [];
    } else {
      this.fields = [];
      this.problems = [`${this.whereIs(root)}: expected ${expected}`];
    }
  }

  /** whereIs returns the file and line of a node, such as `policy.yaml:3`. */
  whereIs(node: ParsedNode): string {
    return this.#at(node.range[0]);
  }

  #at(offset: number): string {
    return `${this.#path}:${this.#lines.linePos(offset).line}`;
  }
}

function nameOf(key: ParsedNode): string {
  return isScalar(key) && typeof key.value === 'string' ? key.value : String(key);
}
