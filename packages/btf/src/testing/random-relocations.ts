import type { Random } from 'test-tools/random';
import { resolveRelocations } from '../core/resolve.js';
import { RELOCATION_KINDS, type RelocationKind } from '../ext/records.js';
import type { ByteOrder } from '../header.js';
import { CALL, type Instruction, LOAD_64, PSEUDO_CALL } from '../object/instructions.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { Spec } from '../spec.js';
import { assembleCoreObject, EXIT, type ProgramWords, type RelocationWords } from './assemble-ext.js';
import { RandomShapes, type Shape, ShapeEmitter, sizeOf } from './random-core.js';

/** RandomPair is a kernel, and objects that were compiled for a similar one. */
export interface RandomPair {
  readonly kernel: Uint8Array;
  readonly objects: readonly Uint8Array[];
}

const ADD_IMMEDIATE = 0x07;
const MOVE_IMMEDIATE = 0xb7;
/** The opcodes of loads, by size in bytes. */
const LOADS: Readonly<Record<number, number>> = { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 };

/** randomPair makes a kernel and some objects with up to four programs of a few relocations. */
export function randomPair(random: Random, order: ByteOrder, objects = 6): RandomPair {
  const shapes = new RandomShapes(random);
  const roots = shapes.roots();
  const kernel = new ShapeEmitter(order);
  for (const root of shapes.kernel(roots)) kernel.idOf(root);
  const bytes = kernel.btf.bytes();
  const target = Spec.parse(bytes);
  return {
    kernel: bytes,
    objects: Array.from({ length: objects }, () => randomObject(random, order, roots, target)),
  };
}

function randomObject(random: Random, order: ByteOrder, roots: readonly Shape[], kernel: Spec): Uint8Array {
  const seeds = Array.from({ length: 1 + random(3) }, (_, i) => ({
    name: `p${i}`,
    calls: random(2) === 0,
    section: ['socket', 'tc', '.text', '?tc'][random(4)] ?? 'tc',
    asks: Array.from({ length: 1 + random(4) }, () => randomAsk(random, roots)),
  }));
  const build = (values: readonly bigint[]): Uint8Array => {
    const emitter = new ShapeEmitter(order);
    const ids = new Map(roots.map((root) => [root, emitter.idOf(root)]));
    let count = 0;
    const ends = new Map<string, number>();
    const programs = seeds.map(({ name, section, asks, calls }): ProgramWords => {
      const instructions: Partial<Instruction>[] = [];
      const start = ends.get(section) ?? 0;
      // The first program of the section is a subprogram of this one, too.
      if (calls && start > 0) instructions.push({ opcode: CALL, src: PSEUDO_CALL, immediate: -start - 1 });
      const relocations = asks.map(({ root, access, kind, form, size }): RelocationWords => {
        const instruction = instructions.length;
        instructions.push(...instructionsOf(form, values[count] ?? 0n, size));
        count += 1;
        return { instruction, typeId: ids.get(root) ?? 0, access, kind };
      });
      const functionId = emitter.functionId(name);
      ends.set(section, start + instructions.length + 1);
      return { name, section, instructions: [...instructions, EXIT], relocations, functionId };
    });
    return assembleCoreObject(order, emitter.btf, programs);
  };
  // The values that a compiler would write are those that are resolved for the types of the object itself.
  const { relocations } = resolveRelocations(parseBpfObject(build([])), { kernel });
  const inOrder = seeds.flatMap(({ name, asks }) =>
    asks.map((_, i) => {
      const found = relocations.filter(({ program }) => program?.name === name)[i];
      return random(20) === 0 ? 1n : (found?.localValue ?? 0n);
    }),
  );
  return build(inOrder);
}

interface Ask {
  readonly root: Shape;
  readonly access: string;
  readonly kind: RelocationKind | number;
  readonly form: 'MOVE' | 'ADD' | 'LOAD' | 'LOAD64' | 'EXIT';
  /** The size of what is accessed. */
  readonly size: number;
}

function randomAsk(random: Random, roots: readonly Shape[]): Ask {
  const root = roots[random(roots.length)] ?? { is: 'void' };
  const isEnum = root.is === 'enum';
  const isComposite = root.is === 'struct' || root.is === 'union' || root.is === 'typedef';
  const kinds = RELOCATION_KINDS.filter((kind) => {
    if (random(40) === 0) return true;
    if (kind.startsWith('FIELD')) return isComposite;
    return kind.startsWith('ENUM') ? isEnum : random(isEnum || isComposite ? 3 : 1) === 0;
  });
  const kind = kinds[random(Math.max(kinds.length, 1))] ?? 'TYPE_EXISTS';
  if (random(60) === 0) {
    const access = ['', '0:', ':0', 'x', '0:99', '0:0:0:0:0', '1:0'][random(7)] ?? '';
    return { root, access, kind: random(4) === 0 ? 13 : kind, form: 'MOVE', size: 8 };
  }
  if (kind.startsWith('TYPE')) return { root, access: '0', kind, form: formOf(random, false), size: 0 };
  if (kind.startsWith('ENUM')) {
    const count = isEnum ? root.values.length : 1;
    return { root, access: String(random(count)), kind, form: random(2) === 0 ? 'LOAD64' : 'MOVE', size: 0 };
  }
  const { indexes, shape } = randomPath(random, root);
  const form = formOf(random, kind === 'FIELD_BYTE_OFFSET');
  return { root, access: indexes.join(':'), kind, form, size: sizeOf(shape) };
}

function formOf(random: Random, isOffset: boolean): Ask['form'] {
  const forms: readonly Ask['form'][] = isOffset
    ? ['LOAD', 'LOAD', 'LOAD', 'ADD', 'MOVE']
    : ['MOVE', 'MOVE', 'ADD', 'LOAD64'];
  return random(60) === 0 ? 'EXIT' : (forms[random(forms.length)] ?? 'MOVE');
}

function randomPath(random: Random, root: Shape): { indexes: number[]; shape: Shape } {
  const indexes = [random(8) === 0 ? 1 : 0];
  let shape = root;
  for (;;) {
    while (shape.is === 'typedef' || shape.is === 'const' || shape.is === 'volatile') shape = shape.to;
    const isRoot = indexes.length === 1;
    if (!isRoot && random(3) === 0) return { indexes, shape };
    if (shape.is === 'struct' || shape.is === 'union') {
      const index = random(shape.members.length);
      const member = shape.members[index];
      if (member === undefined) return { indexes, shape };
      indexes.push(index);
      shape = member.type;
    } else if (shape.is === 'array') {
      indexes.push(random(Math.max(shape.count, 2)));
      shape = shape.of;
    } else {
      return { indexes, shape };
    }
  }
}

function instructionsOf(form: Ask['form'], value: bigint, size: number): Partial<Instruction>[] {
  const immediate = Number(BigInt.asIntN(32, value));
  switch (form) {
    case 'LOAD':
      return [{ opcode: LOADS[size] ?? 0x79, dst: 2, src: 1, offset: Number(BigInt.asIntN(16, value)) }];
    case 'LOAD64':
      return [{ opcode: LOAD_64, dst: 1, immediate }, { immediate: Number(BigInt.asIntN(32, value >> 32n)) }];
    case 'EXIT':
      return [EXIT];
    default:
      return [{ opcode: form === 'ADD' ? ADD_IMMEDIATE : MOVE_IMMEDIATE, dst: 1, immediate }];
  }
}
