// Repeats a row of the library in one process, and prints one line of JSON, as the drivers of the peers do:
//
//     node btfd-driver.js ROW FILE COUNT
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Builder, dedup, printC, Spec, validate, type Type } from '@btfd/btf';
import { btfLoadSync, readFile } from '@btfd/native';

/** The number of random lookups in a repetition of `names`. */
const LOOKUPS = 100_000;

/** Work is a row that is prepared. */
interface Work {
  /** One repetition. */
  run(): Promise<void>;
  /** Returns a number that all peers have in common, from the value of the last repetition. */
  result(): number;
}

const ROWS: Readonly<Record<string, (file: string) => Work>> = {
  index: (file) => {
    const bytes = readFileSync(file);
    return work(
      () => Spec.parse(bytes),
      (spec) => spec.typeCount,
    );
  },
  'first-name': (file) =>
    work(
      () => Spec.parse(readFileSync(file)).idsByName('task_struct'),
      ([id = 0]) => id,
    ),
  'first-name-native': (file) =>
    work(
      () => Spec.parse(readNatively(file)).idsByName('task_struct'),
      ([id = 0]) => id,
    ),
  names: (file) => {
    const spec = Spec.parse(readFileSync(file));
    const names = searchedNames(spec);
    return work(
      () => {
        let found = 0;
        for (let x = 0, left = LOOKUPS; left > 0; left--) {
          // The low 31 bits of the product, which is larger than a double holds exactly.
          x = (Math.imul(x, 1_103_515_245) + 12_345) & 0x7fff_ffff;
          found += spec.typesByName(names[x % names.length] ?? '').length;
        }
        return found;
      },
      (found) => found,
    );
  },
  rebuild: (file) => {
    const spec = Spec.parse(readFileSync(file));
    return work(
      () => copied(spec).marshal(),
      ({ length }) => length,
    );
  },
  'rebuild-decoded': (file) => {
    const types = [...Spec.parse(readFileSync(file))];
    return work(
      () => {
        const builder = new Builder({ deduplicate: false });
        for (const type of types) builder.add(type);
        return builder.marshal();
      },
      ({ length }) => length,
    );
  },
  dedup: (file) => {
    // Two specs, because a builder takes each type of a spec only once.
    const builder = copied(Spec.parse(readFileSync(file)));
    const again = Spec.parse(readFileSync(file));
    builder.addAllFrom(again, idsOf(again));
    const twice = Spec.parse(builder.marshal());
    return work(
      () => dedup(twice).bytes,
      (bytes) => Spec.parse(bytes).typeCount,
    );
  },
  validate: (file) => {
    const spec = Spec.parse(readFileSync(file));
    return work(
      () => validate(spec),
      (problems) => problems.length,
    );
  },
  header: (file) => {
    const spec = Spec.parse(readFileSync(file));
    return work(
      () => printC(spec, { sorted: false, preamble: false }),
      ({ length }) => length,
    );
  },
  'load-close': (file) => {
    const bytes = readFileSync(file);
    let loads = 0;
    const load = (): number => {
      btfLoadSync(bytes, 0).close();
      loads += 1;
      return loads;
    };
    return work(load, (count) => count);
  },
};

const [, , row = '', file = '', count = '1'] = process.argv;
const prepare = ROWS[row];
if (prepare === undefined) {
  console.error(`unknown row ${row}: use one of ${Object.keys(ROWS).join(', ')}`);
  process.exit(3);
}
const prepared = prepare(file);
const cpuUs: number[] = [];
const wallUs: number[] = [];
// No collection between repetitions: `gc()` of V8 also drops compiled code.
for (let left = Number(count); left > 0; left--) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await prepared.run();
  wallUs.push((performance.now() - started) * 1000);
  const { user, system } = process.cpuUsage(cpu);
  cpuUs.push(user + system);
}
console.log(JSON.stringify({ cpuUs, wallUs, result: String(prepared.result()) }));

/** Returns a row whose repetitions make a value, from which its result follows outside of the measured time. */
function work<T>(run: () => T | Promise<T>, result: (value: T) => number): Work {
  let value: T;
  return {
    async run() {
      value = await run();
    },
    result: () => result(value),
  };
}

/** Reads a file as the daemon does: from a mapping, where the kernel allows it. */
function readNatively(path: string): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(fstatSync(fd).size);
    return bytes.subarray(0, readFile(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

function copied(spec: Spec): Builder {
  const builder = new Builder({ deduplicate: false });
  builder.addAllFrom(spec, idsOf(spec));
  return builder;
}

/** Returns the ids of all types. */
function idsOf({ firstTypeId, typeCount }: Spec): number[] {
  return Array.from({ length: typeCount }, (_, index) => firstTypeId + index);
}

/** Returns the names of types by id that cilium/ebpf finds: not those of tags, and none with the mark of a flavour. */
function searchedNames(spec: Spec): string[] {
  const types = [...spec];
  const isTag = ({ kind }: Type): boolean => kind === 'DECL_TAG' || kind === 'TYPE_TAG';
  const ofTags = new Set(types.filter(isTag).map(({ name }) => name));
  return types
    .map(({ name }) => name)
    .filter((name) => name !== '' && !name.includes('___') && !ofTags.has(name));
}
