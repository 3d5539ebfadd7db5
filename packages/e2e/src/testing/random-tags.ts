import { Builder, type NewType, type TypeId } from '@btfd/btf';
import { seeded, type Random } from 'test-tools/random';

/** RandomTagOptions are the options of {@link randomTags}. */
export interface RandomTagOptions {
  /**
   * Whether structs within structs have locks and counts too. Kernels that do not refuse a second one (6.11 to 6.18, for
   * example) print a warning, so only virtual machines may load these.
   */
  readonly nestedLocks: boolean;
}

const TAGS = ['kptr_untrusted', 'kptr_untrusted', 'percpu_kptr', 'uptr', 'user', 'rcu'];

/**
 * randomTags makes BTFs with structs whose members are pointers to random chains of type tags, qualifiers and typedefs,
 * and structs and arrays of these. The names of their structs are not those of the kernel's own types.
 */
export function randomTags(seed: number, { nestedLocks }: RandomTagOptions): () => Uint8Array {
  const random = seeded(seed);
  return () => new RandomTags(random).marshal(nestedLocks);
}

class RandomTags {
  readonly #random: Random;
  readonly #builder = new Builder({ deduplicate: false });
  /** The types of members, with their sizes. */
  readonly #members: { readonly id: TypeId; readonly size: number }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  marshal(nestedLocks: boolean): Uint8Array {
    const int = this.#add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
    const own = this.#struct('btfd_own', [{ id: int, size: 4 }]);
    const named = (name: string, size: number) => ({ id: this.#struct(name, [], size), size });
    const unique = [named('bpf_spin_lock', 4), named('bpf_refcount', 4), named('bpf_res_spin_lock', 4)];
    this.#members.push(named('bpf_list_node', 24), { id: own, size: 4 });
    this.#addPointers(int, own);
    const inner = nestedLocks ? [...unique, ...this.#members] : this.#members;
    for (let left = this.#random(3); left > 0; left--) this.#addStruct(inner);
    if (this.#random(2) === 0) this.#addArray(int);
    // Without nested locks, a struct has each unique field once at most.
    const last = nestedLocks ? [...unique, ...this.#members] : this.#members;
    const members = [...this.#some(last), this.#pick(unique), ...this.#some(last)];
    this.#struct('outer', members);
    return this.#builder.marshal();
  }

  /** Adds pointers to types of a chain that ends at a struct, an int or void. */
  #addPointers(int: TypeId, own: TypeId): void {
    let typeId = this.#pick([int, own, own, 0]);
    for (let left = this.#random(6); left > 0; left--) {
      typeId = this.#link(typeId);
      if (this.#random(3) === 0) this.#addPointer(typeId);
    }
    this.#addPointer(typeId);
  }

  #link(typeId: TypeId): TypeId {
    const name = this.#pick(TAGS);
    switch (this.#random(8)) {
      case 0:
        return this.#add({ kind: 'CONST', typeId });
      case 1:
        return this.#add({ kind: 'VOLATILE', typeId });
      case 2:
        return this.#add({ kind: 'TYPEDEF', name: 't', typeId });
      default:
        return this.#add({ kind: 'TYPE_TAG', name, typeId, attribute: this.#random(6) === 0 });
    }
  }

  #addPointer(typeId: TypeId): void {
    const id = this.#add({ kind: 'PTR', typeId });
    this.#members.push({ id, size: 8 });
    if (this.#random(4) === 0)
      this.#members.push({ id: this.#add({ kind: 'VOLATILE', typeId: id }), size: 8 });
  }

  #addStruct(from: readonly { readonly id: TypeId; readonly size: number }[]): void {
    const members = this.#some(from);
    this.#members.push({ id: this.#struct('inner', members), size: sizeOf(members) });
  }

  #addArray(int: TypeId): void {
    const element = this.#pick(this.#members);
    const nelems = this.#random(3);
    const id = this.#add({ kind: 'ARRAY', typeId: element.id, indexTypeId: int, nelems });
    this.#members.push({ id, size: element.size * nelems });
  }

  #struct(
    name: string,
    members: readonly { readonly id: TypeId; readonly size: number }[],
    size = sizeOf(members),
  ): TypeId {
    let at = 0;
    return this.#add({
      kind: 'STRUCT',
      name,
      size,
      members: members.map((member, i) => {
        const bitOffset = at * 8;
        at += roomOf(member.size);
        return { name: `m${i}`, typeId: member.id, bitOffset, bitfieldSize: 0 };
      }),
    });
  }

  #some<T>(from: readonly T[]): T[] {
    return Array.from({ length: this.#random(4) }, () => this.#pick(from));
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#random(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  #add(type: NewType): TypeId {
    return this.#builder.add(type);
  }
}

/** Members are aligned to 4 bytes, so that some pointers are not aligned to their 8. */
function roomOf(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function sizeOf(members: readonly { readonly size: number }[]): number {
  return members.reduce((sum, { size }) => sum + roomOf(size), 0);
}
