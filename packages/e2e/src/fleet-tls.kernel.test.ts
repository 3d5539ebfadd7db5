import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfFleet, type FleetNode, staticNodes } from '@btfd/fleet';
import type { TlsOptions } from '@btfd/client';
import { DaemonProcess } from './testing/daemon-process.js';
import { TestCertificates } from './testing/test-certificates.js';
import { until } from './testing/until.js';

const VIEWER = 'spiffe://test/viewer';

needs('bpf').test('A fleet over mutual TLS checks the name that the asker wants of each node', async () => {
  using certificates = await TestCertificates.make();
  // By the name of its node, as a certificate of a pod has it.
  certificates.writeServer(await certificates.issueServer({ names: ['node7.btfd.example', '127.0.0.1'] }));
  await using daemon = await DaemonProcess.start({
    args: [...certificates.args, '--viewer', `uri:${VIEWER}`, '--node-name', 'node7'],
  });
  await until('the port is logged', () => daemon.tcpPort() !== null);
  const address = `127.0.0.1:${daemon.tcpPort()}`;
  const ca = readFileSync(certificates.files.ca);
  const viewer = await certificates.issueClient([VIEWER]);
  const outcomeOf = async (node: FleetNode, tls: TlsOptions): Promise<unknown> => {
    await using fleet = new BtfFleet(staticNodes([node]), { tls, connectTimeout: 30_000 });
    const { nodes } = await fleet.inventory();
    return [...nodes].map(([name, outcome]) => [
      name,
      outcome.kind,
      'error' in outcome ? outcome.error.rawMessage : '',
    ])[0];
  };
  const named = { name: 'node7', address };
  const template = { ca, ...viewer, serverName: '{name}.btfd.example' };
  expect(await outcomeOf(named, template)).toEqual(['node7', 'answered', '']);
  expect(await outcomeOf({ address }, { ca, ...viewer, serverName: '{host}' })).toEqual([
    'node7',
    'answered',
    '',
  ]);
  expect(await outcomeOf({ ...named, serverName: 'node7.btfd.example' }, { ca, ...viewer })).toEqual([
    'node7',
    'answered',
    '',
  ]);
  // Another node’s certificate does not do.
  expect(await outcomeOf({ name: 'node8', address }, template)).toEqual([
    'node8',
    'unreachable',
    expect.stringContaining('node8.btfd.example'),
  ]);
  expect(await outcomeOf({ address }, template)).toEqual([
    address,
    'failed',
    expect.stringContaining('has {name}, but the source gives the node no name'),
  ]);
  const stranger = await certificates.issueClient(['spiffe://test/stranger']);
  expect(await outcomeOf(named, { ...template, ...stranger })).toEqual([
    'node7',
    'refused',
    expect.any(String),
  ]);
});
