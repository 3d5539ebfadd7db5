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
  ])('accepts %s as %s', (text, principal) => {
    expect(parsePrincipal(text)).toBe(principal);
  });

  test.each([
    ['', 'is not a principal'],
    ['root', 'is not a principal'],
    ['Anonymous', 'is not a principal'],
    ['user:root', 'is not a principal'],
    ['UID:0', 'is not a principal'],
    ['uid:', 'is not a uid'],
    ['uid:root', 'use a number, not a name'],
    ['uid:-1', 'is not a uid'],
    ['uid:1e3', 'is not a uid'],
    ['uid: 1', 'is not a uid'],
    ['uid:4294967295', 'is not a uid'],
    ['gid:99999999999', 'is not a gid'],
    ['uid:65534', 'every user of other user namespaces'],
    ['gid:65534', 'every user of other user namespaces'],
    ['uri:', 'is not a URI'],
    ['uri:agent', 'is not a URI'],
    ['uri:spiffe://a b', 'is not a URI'],
    ['dns:', 'is not a DNS name'],
    ['dns:*.example.org', 'wildcard'],
    ['dns:a..b', 'is not a DNS name'],
    ['dns:ä.example.org', 'is not a DNS name'],
    ['cn:', 'the common name is empty'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePrincipal(text)).toThrow(message);
  });
});
