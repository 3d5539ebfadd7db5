import { describe, expect, test } from '@jest/globals';
import { formatAddress, isLoopback, parseAddress, type Address } from './address.js';

const LONGEST = `/${'p'.repeat(98)}`;

describe('An address', () => {
  test.each<[string, Address, string?]>([
    ['unix:/run/btfd/btfd.sock', { kind: 'unix', path: '/run/btfd/btfd.sock' }],
    ['unix:///run/btfd.sock', { kind: 'unix', path: '/run/btfd.sock' }, 'unix:/run/btfd.sock'],
    ['unix:/with:colon/and space', { kind: 'unix', path: '/with:colon/and space' }],
    [`unix:${LONGEST}`, { kind: 'unix', path: LONGEST }],
    ['localhost:50051', { kind: 'tcp', host: 'localhost', port: 50051 }],
    ['127.0.0.1:0', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
    ['node-1.example.org:65535', { kind: 'tcp', host: 'node-1.example.org', port: 65535 }],
    ['[::1]:50051', { kind: 'tcp', host: '::1', port: 50051 }],
    ['[fe80::1%eth0]:1', { kind: 'tcp', host: 'fe80::1%eth0', port: 1 }],
  ])('%s is parsed and formatted', (text, address, written = text) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(written);
  });

  test.each([
    ['', 'invalid address'],
    ['unix:', 'is not absolute'],
    ['unix:relative/path', 'is not absolute'],
    ['unix://relative/path', 'is not absolute'],
    [`unix:${LONGEST}p`, 'has more than 99 bytes'],
    [`unix:/${'é'.repeat(50)}`, 'has more than 99 bytes'],
    ['/run/btfd.sock', 'invalid address'],
    ['localhost', 'invalid address'],
    ['localhost:', 'invalid address'],
    [':50051', 'invalid address'],
    ['localhost:65536', 'invalid address'],
    ['localhost:-1', 'invalid address'],
    ['localhost:1e3', 'invalid address'],
    ['localhost: 1', 'invalid address'],
    ['::1:50051', 'invalid address'],
    ['[::1]', 'invalid address'],
    ['[localhost]:1', 'invalid address'],
    ['[::g]:1', 'invalid address'],
    ['http://localhost:1', 'invalid address'],
    ['dns:localhost:1', 'invalid address'],
    ['localhost:1\n', 'invalid address'],
  ])('%j is refused: it %s', (text, message) => {
    expect(() => parseAddress(text)).toThrow(message);
  });

  test.each([
    ['unix:/run/btfd.sock', true],
    ['localhost:1', true],
    ['127.0.0.1:1', true],
    ['127.255.3.4:1', true],
    ['[::1]:1', true],
    ['0.0.0.0:1', false],
    ['[::]:1', false],
    ['10.0.0.1:1', false],
    ['128.0.0.1:1', false],
    ['127.0.0.1.example.org:1', false],
    // A name to resolve, not an address.
    ['127.0.0.256:1', false],
    ['127.1:1', false],
    ['localhost.example.org:1', false],
  ])('%s can only be reached from this machine: %j', (text, expected) => {
    expect(isLoopback(parseAddress(text))).toBe(expected);
  });
});
