import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { postorder } from '../query/postorder.js';
import { sizeof } from '../query/sizeof.js';
import { Spec } from '../spec.js';
import { BpfMaps } from '../testing/bpf-maps.js';
import { randomValue } from '../testing/random-value.js';
import { randomValueTypes, sizedTypes } from '../testing/random-value-types.js';
import type { TypeId } from '../types.js';
import { validate } from '../validate/validate.js';
import { readValue, type Value } from './read-value.js';

/** The id of `int` among the random types. */
const INT = 7;

/** Kinds that bpftool does not show in values. */
const UNSUPPORTED = new Set(['FLOAT', 'TYPE_TAG']);

// The kernel accepts the types of these seeds: it refuses floating point numbers that are not aligned.
needs('bpf', 'bpftool', 'gcc').test.each([3, 43])(
  'values of maps are those that bpftool dumps (%p)',
  async (seed) => {
    const spec = Spec.parse(randomValueTypes(seed, 200));
    expect(validate(spec)).toEqual([]);
    const ids = sizedTypes(spec).filter((id) => sizeof(spec, id) > 0 && isSupported(spec, id));
    const maps = new BpfMaps(spec.bytes, INT);
    const random = seeded(seed);
    try {
      for (const id of ids) {
        const { bytes } = randomValue(spec, id, random, {
          zeroes: true,
          names: true,
          texts: random(2) === 0,
        });
        const text = await maps.dump(id, bytes);
        const named = readValue(spec, id, bytes).value;
        const numbered = readValue(spec, id, bytes, { enumNumbers: true }).value;
        expect({ id, named, differs: difference(named, numbered, valueOf(text), '') }).toEqual({
          id,
          named,
          differs: null,
        });
      }
    } finally {
      await maps.close();
    }
    expect(ids.length).toBeGreaterThan(50);
  },
);

function isSupported(spec: Spec, id: TypeId): boolean {
  const kinds = new Set([...postorder(spec, [id])].map((part) => spec.typeById(part).kind));
  // In a union, an enum may have a value without a name, and bpftool shows all such values as signed.
  if (kinds.has('UNION') && (kinds.has('ENUM') || kinds.has('ENUM64'))) return false;
  return [...kinds].every((kind) => !UNSUPPORTED.has(kind));
}

/** Returns the value in bpftool's output, with a `#` before integers, which may be large, and a name for each `""`. */
function valueOf(text: string): unknown {
  let nameless = 0;
  const named = text.replaceAll(/"(?:[^"\\]|\\.)*":?|-?\d+/g, (token) => {
    if (token === '"":') return `"#${nameless++}":`;
    return token.startsWith('"') ? token : `"#${token}"`;
  });
  const [entry]: [{ formatted: { value: unknown } }] = JSON.parse(named);
  return entry.formatted.value;
}

/** Returns the path of the first difference; null if there is none. */
function difference(
  named: Value | undefined,
  numbered: Value | undefined,
  theirs: unknown,
  path: string,
): string | null {
  if (Array.isArray(theirs)) {
    if (!Array.isArray(named) || !Array.isArray(numbered) || named.length !== theirs.length)
      return `${path}: length`;
    return first(theirs.map((one, i) => difference(named[i], numbered[i], one, `${path}[${i}]`)));
  }
  if (typeof theirs === 'object' && theirs !== null) {
    return first(
      Object.entries(theirs).map(([name, one]) =>
        // The members of a nameless member are ours.
        name.startsWith('#')
          ? difference(named, numbered, one, path)
          : difference(memberOf(named, name), memberOf(numbered, name), one, `${path}.${name}`),
      ),
    );
  }
  return isSame(named, numbered, theirs) ? null : `${path}: bpftool has ${String(theirs)}`;
}

function isSame(named: Value | undefined, numbered: Value | undefined, theirs: unknown): boolean {
  if (named === theirs) return true;
  if (typeof theirs !== 'string' || (typeof numbered !== 'number' && typeof numbered !== 'bigint')) {
    return typeof numbered === 'boolean' && typeof theirs === 'string' && numbered === BigInt(theirs) > 0n;
  }
  const ours = BigInt(numbered);
  if (theirs.startsWith('#')) {
    const number = BigInt(theirs.slice(1));
    if (typeof named !== 'string') return number === ours;
    // bpftool reads enums as signed, and then some have no name.
    return number < 0n && [8, 16, 32].some((bits) => BigInt.asIntN(bits, ours) === number);
  }
  // Bitfields and integers of 128 bits have no sign.
  if (!theirs.startsWith('0x')) return false;
  const bits = BigInt(theirs);
  return bits === ours || BigInt.asIntN(bits.toString(2).length, bits) === ours;
}

function memberOf(value: Value | undefined, name: string): Value | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([member]) => member === name)?.[1];
}

function first(differences: readonly (string | null)[]): string | null {
  return differences.find((one) => one !== null) ?? null;
}
