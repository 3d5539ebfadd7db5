import { describe, expect, test } from '@jest/globals';
import { parsePrincipal } from './principal.js';

describe('parsePrincipal', () => {
  test.each([
    ['uid:0', 'uid:0'],
    ['uid:0001000', 'uid:1000'],
    ['gid:4294967294', 'gid:4294967294'],
    ['uri:spiffe://example.org/agent', 'uri:spiffe://example.org/agent'],
    ['uri:urn:uuid:f81d4fae', 'uri:urn:uuid:f81d4fae'],
    ['dns:Agent.Example.ORG', 'dns:agent.example.org'],
    ['cn:Some Body, Inc.', 'cn:Some Body, Inc.'],
    ['anonymous', 'anonymous'],
  ])('takes %s as %s', (text, principal) => {
    expect(parsePrincipal(text)).toBe(principal);
  });

  test.each([
    ['', 'is no principal'],
    ['root', 'is no principal'],
    ['Anonymous', 'is no principal'],
    ['user:root', 'is no principal'],
    ['UID:0', 'is no principal'],
    ['uid:', 'is no uid'],
    ['uid:root', 'write a number, not a name'],
    ['uid:-1', 'is no uid'],
    ['uid:1e3', 'is no uid'],
    ['uid: 1', 'is no uid'],
    ['uid:4294967295', 'is no uid'],
    ['gid:99999999999', 'is no gid'],
    ['uid:65534', 'everybody of other user namespaces'],
    ['gid:65534', 'everybody of other user namespaces'],
    ['uri:', 'is no URI'],
    ['uri:agent', 'is no URI'],
    ['uri:spiffe://a b', 'is no URI'],
    ['dns:', 'is no DNS name'],
    ['dns:*.example.org', 'wildcard'],
    ['dns:a..b', 'is no DNS name'],
    ['dns:ä.example.org', 'is no DNS name'],
    ['cn:', 'a common name is empty'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePrincipal(text)).toThrow(message);
  });
});
