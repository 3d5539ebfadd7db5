import { getHeapSpaceStatistics } from 'node:v8';
import { describe, expect, test } from '@jest/globals';
import { LinkedList, type Link } from './linked-list.js';

function listOf(...values: readonly string[]): { list: LinkedList<string>; links: Link<string>[] } {
  const list = new LinkedList<string>();
  return { list, links: values.map((value) => list.add(value)) };
}

describe('A LinkedList', () => {
  test('has its values in the order in which they were added', () => {
    const { list } = listOf('a', 'b', 'c');
    expect([list.values(), list.size, list.first?.value]).toEqual([['a', 'b', 'c'], 3, 'a']);
    expect([listOf().list.values(), listOf().list.size, listOf().list.first]).toEqual([[], 0, null]);
  });

  test.each([
    [[0], ['b', 'c']],
    [[1], ['a', 'c']],
    [[2], ['a', 'b']],
    [[2, 0], ['b']],
    [[1, 0, 2], []],
  ])('does not have the values that were removed: %j', (removed, left) => {
    const { list, links } = listOf('a', 'b', 'c');
    for (const index of removed) {
      const link = links[index];
      if (link !== undefined) list.remove(link);
    }
    expect([list.values(), list.size, list.first?.value]).toEqual([left, left.length, left[0]]);
    list.add('d');
    expect(list.values()).toEqual([...left, 'd']);
  });

  test('keeps nothing in a link that was removed', () => {
    const { list, links } = listOf('a', 'b', 'c');
    const [, middle] = links;
    if (middle === undefined) throw new Error('no link');
    list.remove(middle);
    list.remove(middle);
    expect(list.size).toBe(2);
    expect([middle.previous, middle.next]).toEqual([null, null]);
  });

  // With a Set, 20 MB of them are there.
  test('leaves no removed values in the old generation', () => {
    const list = new LinkedList<object>();
    // The garbage of another list moves this one to the old generation.
    addAndRemove(new LinkedList<object>(), 500_000);
    const before = oldBytes();
    addAndRemove(list, 200_000);
    expect(oldBytes() - before).toBeLessThan(8_000_000);
  });
});

/** Adds many values, of which 64 are in the list at one time. */
function addAndRemove(list: LinkedList<object>, count: number): void {
  const live: Link<object>[] = [];
  for (let added = 0; added < count; added++) {
    live.push(list.add(new Float64Array(8)));
    const oldest = live.length > 64 ? live.shift() : undefined;
    if (oldest !== undefined) list.remove(oldest);
  }
}

function oldBytes(): number {
  const old = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space');
  if (old === undefined) throw new Error('V8 has no old space any more');
  return old.space_used_size;
}
