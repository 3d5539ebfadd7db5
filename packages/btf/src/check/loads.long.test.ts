import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { LoadComparison } from '../testing/compare-loads.js';
import { debianObjects } from '../testing/debian-objects.js';

needs('gcc', 'libbpf 1.7', 'root', 'vmlinux', 'debian-objects').test(
  'verdicts and the running kernel agree on all of Debian’s objects',
  () => {
    const loads = new LoadComparison();
    let loaded = 0;
    try {
      for (const { name, bytes } of debianObjects()) {
        const { contradictions, counts } = loads.compare(bytes);
        expect([name, ...contradictions]).toEqual([name]);
        for (const [key, count] of counts) if (key.endsWith(' loaded')) loaded += count;
      }
    } finally {
      loads.close();
    }
    expect(loaded).toBeGreaterThan(100);
  },
);
