import { createHash } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type HandleInfoSchema, InfoDetail } from '@btfd/api';
import { isSplit, Spec } from '@btfd/btf';
import {
  anObject,
  aString,
  checkFields,
  fieldsOf,
  must,
  oneOf,
  type Rule,
  type Rules,
} from '../error/argument.js';
import { type KnownOrigin, ORIGIN_NUMBERS } from '../object/handle-info.js';
import type { ObjectUsers } from '../object/object-users.js';

/** FakeObjectInit is what a {@link FakeObject} is made of. */
export interface FakeObjectInit {
  /** The raw BTF. */
  readonly btf: Uint8Array;
  /** The kernel's name for it: `vmlinux`, a module's. Default: none, as users' objects have. */
  readonly name?: string | undefined;
  /** The BTF id. Default: the one after the highest so far. */
  readonly id?: number | undefined;
  /** Default: that which goes with the name. */
  readonly origin?: KnownOrigin | undefined;
  /** Who uses it. Default: nobody. */
  readonly users?: Partial<ObjectUsers> | undefined;
}

const OBJECT_RULES: Rules<FakeObjectInit> = {
  btf: must('a Uint8Array', (value) => value instanceof Uint8Array),
  name: aString,
  id: must('a positive integer', (value) => Number.isInteger(value) && Number(value) > 0),
  origin: oneOf(ORIGIN_NUMBERS),
  users: anObject,
};

/** aFakeObject is the rule of what an object is made of. */
export const aFakeObject: Rule = (field, value) => {
  checkFields(`${field}.`, field, value, OBJECT_RULES);
  // It alone has to be there.
  OBJECT_RULES.btf(`${field}.btf`, new Map(fieldsOf(field, value)).get('btf'));
};

type InfoInit = MessageInitShape<typeof HandleInfoSchema>;

/** FakeObject is a BTF object in the kernel of a {@link FakeDaemon}. */
export class FakeObject {
  readonly id: number;
  readonly name: string;
  readonly origin: KnownOrigin;
  readonly btf: Uint8Array;
  /** SHA-256 of the BTF. */
  readonly digest: Uint8Array;
  /** What split BTF continues: the vmlinux that was there when it came. */
  readonly base: FakeObject | null;
  readonly split: boolean;
  readonly #init: FakeObjectInit;
  /** Whether it left the kernel, as an unloaded module does. */
  removed = false;
  /** Whether it lives only as long as a handle holds it, because it was loaded by one. */
  readonly transient: boolean;
  #spec: Spec | null = null;

  constructor(init: FakeObjectInit, id: number, vmlinux: FakeObject | null, transient: boolean) {
    const { name = '', btf, origin = originOf(name) } = init;
    this.#init = init;
    this.id = id;
    this.name = name;
    this.origin = origin;
    this.btf = btf;
    this.digest = new Uint8Array(createHash('sha256').update(btf).digest());
    this.split = isSplit(btf);
    this.base = this.split ? vmlinux : null;
    this.transient = transient;
  }

  /** The types. @throws BtfFormatError for BTF that cannot be parsed. */
  spec(): Spec {
    this.#spec ??= Spec.parse(this.btf, { base: this.base?.spec() ?? null });
    return this.#spec;
  }

  /** The object, continuing another base where it is split. What is split itself is none. */
  on(base: FakeObject): FakeObject {
    const based = new FakeObject(this.#init, this.id, base.split ? null : base, this.transient);
    based.removed = this.removed;
    return based;
  }

  /** The message of its info, with the details that were asked for. */
  info(details: readonly InfoDetail[] = []): InfoInit {
    const { programs = [], maps = [], processes = [] } = this.#init.users ?? {};
    const users = { programs: [...programs], maps: [...maps], processes: [...processes] };
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

function originOf(name: string): KnownOrigin {
  if (name === '') return 'user';
  if (name === 'vmlinux') return 'vmlinux';
  return name.includes('.') ? 'kernel-other' : 'module';
}
