import { describe, expect, test } from '@jest/globals';
import { nodesInText } from './nodes-file.js';

describe('A file of nodes', () => {
  test('has a node on each line, with or without a name', async () => {
    const text = '# our nodes\nweb1 10.0.0.1:7443\n\n  web2\tunix:/run/btfd.sock  \r\n[fd00::1]:7443\n';
    expect(await nodesInText('nodes.txt', text).list()).toEqual([
      { name: 'web1', address: '10.0.0.1:7443' },
      { name: 'web2', address: 'unix:/run/btfd.sock' },
      { address: '[fd00::1]:7443' },
    ]);
  });

  test.each([
    ['web1 10.0.0.1:1\na b c\n', 'nodes.txt: line 2 has 3 words: use NAME ADDRESS, or ADDRESS'],
    ['# x\nweb\u001B[2J 10.0.0.1:1', 'nodes.txt: line 2: its name is not 253 printable ASCII characters'],
    ['web1 h:1\n\nweb1 h:2', 'nodes.txt: line 3: "web1" is there twice'],
    [`${'h'.repeat(600)}:1`, 'nodes.txt: line 1: its address is not 512 printable'],
    ['h:1\n'.repeat(10_001), 'nodes.txt: nodes: must be at most 10000, not 10001'],
    ['', 'nodes.txt has no nodes'],
    ['# none\n', 'nodes.txt has no nodes'],
    ['web1 web2', 'nodes.txt: line 1: invalid address "web2": use unix:/PATH or HOST:PORT'],
  ])('%j is refused', (text, message) => {
    expect(() => nodesInText('nodes.txt', text)).toThrow(message);
  });
});
