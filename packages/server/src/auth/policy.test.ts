import { describe, expect, test } from '@jest/globals';
import type { Peer } from './peer.js';
import { mergeRules, NO_RULES, Policy, type PolicyRules, type Role } from './policy.js';

const OWN_UID = 990;

function unix(uid: number, gids: readonly number[], socketGid = 50): Peer {
  return { kind: 'unix', pid: 1, uid, gids, socketGid };
}

function tls(names: readonly string[], commonName: string | null = null): Peer {
  return { kind: 'tls', names, commonName, validUntil: Infinity };
}

function rules(roles: Record<string, Role>, rest: Partial<PolicyRules> = {}): PolicyRules {
  return { ...NO_RULES, roles: new Map(Object.entries(roles)), ...rest };
}

const ANONYMOUS: Peer = { kind: 'anonymous' };
const UNKNOWN: Peer = { kind: 'unknown', why: '' };

describe('Without rules', () => {
  test.each<[string, Peer, Role | null]>([
    ['root', unix(0, [0]), 'loader'],
    ['the daemon’s own user', unix(OWN_UID, [990]), 'loader'],
    ['who has the socket’s group as primary one', unix(1000, [50]), 'viewer'],
    ['who has it as supplementary one', unix(1000, [1000, 27, 50]), 'viewer'],
    ['who has other groups', unix(1000, [1000, 27]), null],
    ['who is of another user namespace, as is the group', unix(65_534, [65_534], 65_534), null],
    ['a certificate', tls(['uri:a:b', 'dns:c']), null],
    ['anonymous', ANONYMOUS, 'viewer'],
    ['who proved nothing', UNKNOWN, null],
  ])('%s: %#', (_, peer, role) => {
    expect(new Policy(NO_RULES, OWN_UID).roleOf(peer)).toBe(role);
  });

  test('a daemon that runs as the overflow user gives that user no role', () => {
    expect(new Policy(NO_RULES, 65_534).roleOf(unix(65_534, [1]))).toBeNull();
  });
});

describe('With rules', () => {
  test('the highest role of a peer’s names counts, in any order', () => {
    const policy = new Policy(rules({ 'uid:1': 'viewer', 'gid:2': 'loader', 'gid:3': 'inspector' }), OWN_UID);
    expect(policy.roleOf(unix(1, [2, 3]))).toBe('loader');
    expect(policy.roleOf(unix(1, [3]))).toBe('inspector');
    expect(policy.roleOf(unix(1, []))).toBe('viewer');
    expect(policy.roleOf(unix(9, [50, 3]))).toBe('inspector');
    const names = new Policy(rules({ 'uri:a:b': 'viewer', 'dns:c': 'loader' }), OWN_UID);
    expect(names.roleOf(tls(['uri:a:b', 'dns:c']))).toBe('loader');
  });

  test('a uid is not a gid, and a URI is not a DNS name', () => {
    const policy = new Policy(rules({ 'gid:1': 'loader', 'uri:c:d': 'loader' }), OWN_UID);
    expect([policy.roleOf(unix(1, [9])), policy.roleOf(tls(['dns:c:d', 'dns:c']))]).toEqual([null, null]);
  });

  test('a common name counts only if the rules say so, and comes last', () => {
    const peer = tls(['dns:c'], 'cn:c');
    const roles = { 'cn:c': 'loader' } as const;
    const without = new Policy(rules(roles), OWN_UID);
    expect([without.roleOf(peer), without.namesOf(peer)]).toEqual([null, ['dns:c']]);
    const policy = new Policy(rules(roles, { commonNames: true }), OWN_UID);
    expect([policy.roleOf(peer), policy.namesOf(peer)]).toEqual(['loader', ['dns:c', 'cn:c']]);
    expect(policy.namesOf(tls([], 'cn:c'))).toEqual(['cn:c']);
    expect(without.namesOf(tls([], 'cn:c'))).toEqual([]);
  });

  test('anonymous has the role that the rules give it', () => {
    expect(new Policy(rules({ anonymous: 'loader' }), OWN_UID).roleOf(ANONYMOUS)).toBe('loader');
  });

  test('without defaults only listed principals have a role', () => {
    const policy = new Policy(rules({ 'uid:1': 'viewer' }, { defaults: false }), OWN_UID);
    const peers = [unix(0, [0]), unix(OWN_UID, []), unix(7, [50]), ANONYMOUS, unix(1, [])];
    expect(peers.map((peer) => policy.roleOf(peer))).toEqual([null, null, null, null, 'viewer']);
  });

  test('a principal in two sets of rules has the higher role', () => {
    const a = rules({ 'uid:1': 'loader', 'uid:2': 'viewer' }, { defaults: false });
    const b = rules({ 'uid:1': 'viewer', 'uid:3': 'viewer' }, { commonNames: true });
    expect(mergeRules(a, b)).toEqual({
      roles: new Map([
        ['uid:1', 'loader'],
        ['uid:2', 'viewer'],
        ['uid:3', 'viewer'],
      ]),
      commonNames: true,
      defaults: false,
    });
  });
});
