import { isMap, isScalar, LineCounter, parseDocument, type ParsedNode } from 'yaml';

/** YamlField is a key of a map in a YAML file, with its value. */
export interface YamlField {
  readonly name: string;
  readonly key: ParsedNode;
  readonly value: ParsedNode | null;
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
