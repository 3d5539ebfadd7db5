import { hostname } from 'node:os';
import { expect, test } from '@jest/globals';
import { isNodeName, nodeNameOf } from './node-name.js';

test.each([
  ['ip-10-0-3-17.ec2.internal', true],
  ['Build_Host', true],
  ['n'.repeat(253), true],
  ['n'.repeat(254), false],
  ['', false],
  ['built-in node', false],
  ['node\u001b[2J', false],
  ['knoten-ä', false],
])('%j can be the name of a node: %s', (text, expected) => {
  expect(isNodeName(text)).toBe(expected);
});

test.each<[string, string | null, NodeJS.ProcessEnv, string, string]>([
  ['the setting', 'set', { NODE_NAME: 'env' }, 'host', 'set'],
  ['NODE_NAME', null, { NODE_NAME: 'env' }, 'host', 'env'],
  ['the host name, as nothing else is given', null, {}, 'host', 'host'],
  ['the host name, as NODE_NAME is empty', null, { NODE_NAME: '' }, 'host', 'host'],
  ['the host name, as NODE_NAME is a text for people', null, { NODE_NAME: 'built-in node' }, 'host', 'host'],
  ['nothing, as no text can be a name', null, {}, 'über', ''],
])('The name of the node is %s', (_, set, env, host, expected) => {
  expect(nodeNameOf(set, env, host)).toBe(expected);
});

test('The host name is read at each call, because it can change', () => {
  expect(nodeNameOf(null, {})).toBe(hostname());
});
