import { createHash } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type HandleInfoSchema, InfoDetail, type ObjectUsers_BpfObjectSchema } from '@btfd/api';
import { isSplit, Spec } from '@btfd/btf';
import {
  anObject,
  aString,
  checkFields,
  fieldsOf,
  oneOf,
  type Rule,
  rule,
  type Rules,
} from '../error/argument.js';
import { type KnownOrigin } from '../object/handle-info.js';
import { ORIGIN_NUMBERS } from '../base/enum-numbers.js';
import type { BpfMap, BpfObject, ObjectUsers } from '../object/object-users.js';

/** FakeObjectInit describes an object to add to the kernel of a {@link FakeDaemon}. */
export interface FakeObjectInit {
  /** The raw BTF, which must not change. Fakes that are given the same array share what they compute from it. */
  readonly btf: Uint8Array;
  /** The kernel's name for it: `vmlinux` or a module's name. Default: empty, as for users' objects. */
  readonly name?: string | undefined;
  /** The BTF id, or 0 for none, as vmlinux has before Linux 5.11. Default: the highest id until now, plus 1. */
  readonly id?: number | undefined;
  /** The origin. Default: `user` without a name, `vmlinux`, `kernel-other` for a name with a dot, otherwise `module`. */
  readonly origin?: KnownOrigin | undefined;
  /** The programs, maps and processes that use it. Default: none. */
  readonly users?: FakeUsers | undefined;
}

/** FakeUsers are the users of a fake object. */
export interface FakeUsers extends Partial<Omit<ObjectUsers, 'maps'>> {
  /** Without its type ids, a map is as an older daemon reports it. */
  readonly maps?: readonly FakeMap[] | undefined;
}

type FakeMap = BpfObject & Partial<BpfMap>;

const OBJECT_RULES: Rules<FakeObjectInit> = {
  btf: rule('a Uint8Array', (value) => value instanceof Uint8Array),
  name: aString,
  id: rule('an integer from 0', (value) => Number.isInteger(value) && Number(value) >= 0),
  origin: oneOf(ORIGIN_NUMBERS),
  users: anObject,
};

/** aFakeObject is the rule of a {@link FakeObjectInit}. */
export const aFakeObject: Rule = (field, value) => {
  checkFields(`${field}.`, field, value, OBJECT_RULES);
  // The only field that is required.
  OBJECT_RULES.btf(`${field}.btf`, new Map(fieldsOf(field, value)).get('btf'));
};

type InfoInit = MessageInitShape<typeof HandleInfoSchema>;
type MapInit = MessageInitShape<typeof ObjectUsers_BpfObjectSchema>;

/** Prepared is computed from BTF once for all fakes that share its bytes. A test of many nodes starts hundreds. */
interface Prepared {
  readonly digest: Uint8Array;
  readonly split: boolean;
  /** The types of BTF that is not split. */
  spec: Spec | null;
}

const prepared = new WeakMap<Uint8Array, Prepared>();

function prepare(btf: Uint8Array): Prepared {
  const known = prepared.get(btf);
  if (known !== undefined) return known;
  const digest = new Uint8Array(createHash('sha256').update(btf).digest());
  const made = { digest, split: isSplit(btf), spec: null };
  prepared.set(btf, made);
  return made;
}

/** FakeObject is a BTF object in the kernel of a {@link FakeDaemon}. */
export class FakeObject {
  readonly id: number;
  readonly name: string;
  readonly origin: KnownOrigin;
  readonly btf: Uint8Array;
  /** SHA-256 of the BTF. */
  readonly digest: Uint8Array;
  /** The base of split BTF: the vmlinux that was in the kernel when the object was added. Null for other BTF. */
  readonly base: FakeObject | null;
  readonly split: boolean;
  readonly #init: FakeObjectInit;
  readonly #prepared: Prepared;
  /** Whether it has left the kernel, as an unloaded module does. */
  removed = false;
  /** Whether it goes with its last handle, because `loadHandle` loaded it. */
  readonly transient: boolean;
  #spec: Spec | null = null;

  constructor(init: FakeObjectInit, id: number, vmlinux: FakeObject | null, transient: boolean) {
    const { name = '', btf, origin = originOf(name) } = init;
    this.#init = init;
    this.id = id;
    this.name = name;
    this.origin = origin;
    this.btf = btf;
    this.#prepared = prepare(btf);
    this.digest = this.#prepared.digest;
    this.split = this.#prepared.split;
    this.base = this.split ? vmlinux : null;
    this.transient = transient;
  }

  /** Returns the types. @throws BtfFormatError for BTF that cannot be parsed. */
  spec(): Spec {
    if (!this.split) return (this.#prepared.spec ??= Spec.parse(this.btf));
    this.#spec ??= Spec.parse(this.btf, { base: this.base?.spec() ?? null });
    return this.#spec;
  }

  /** Returns the object on another base, if it is split. Split BTF cannot serve as a base. */
  on(base: FakeObject): FakeObject {
    const based = new FakeObject(this.#init, this.id, base.split ? null : base, this.transient);
    based.removed = this.removed;
    return based;
  }

  /** Returns the message of its info, with the requested details. */
  info(details: readonly InfoDetail[] = []): InfoInit {
    const { programs = [], maps = [], processes = [] } = this.#init.users ?? {};
    const users = { programs: [...programs], maps: maps.map(withTypeIds), processes: [...processes] };
    return {
      id: this.id,
      name: this.name,
      origin: ORIGIN_NUMBERS[this.origin],
      isKernel: this.origin !== 'user',
      size: this.btf.length,
      removed: this.removed,
      ...(details.includes(InfoDetail.DIGEST) && { digest: this.digest }),
      ...(details.includes(InfoDetail.USERS) && { users }),
    };
  }
}

/** Returns the message of a map: type ids that are null or missing are absent. */
function withTypeIds({ keyTypeId, valueTypeId, ...map }: FakeMap): MapInit {
  return { ...map, keyTypeId: keyTypeId ?? undefined, valueTypeId: valueTypeId ?? undefined };
}

function originOf(name: string): KnownOrigin {
  if (name === '') return 'user';
  if (name === 'vmlinux') return 'vmlinux';
  return name.includes('.') ? 'kernel-other' : 'module';
}
