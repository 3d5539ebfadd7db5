import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfFleet, type FleetNode, staticNodes } from '@btfd/fleet';
import { contextNodes } from '@btfd/fleet/contexts';
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

needs('bpf').test('The contexts of btfctl are nodes, each with its own certificates', async () => {
  using certificates = await TestCertificates.make();
  certificates.writeServer(await certificates.issueServer({ names: ['node7.btfd.example'] }));
  await using daemon = await DaemonProcess.start({
    args: [...certificates.args, '--viewer', `uri:${VIEWER}`, '--viewer', `uid:${process.getuid?.()}`],
  });
  await using local = await DaemonProcess.start({ args: ['--viewer', `uid:${process.getuid?.()}`] });
  await until('the port is logged', () => daemon.tcpPort() !== null);
  const { cert, key } = await certificates.issueClient([VIEWER]);
  certificates.write(join(certificates.dir, 'me.crt'), cert);
  certificates.write(join(certificates.dir, 'me.key'), key);
  const configFile = join(certificates.dir, 'config.yaml');
  const address = `127.0.0.1:${daemon.tcpPort()}`;
  const files = 'ca: ca.crt, cert: me.crt, key: me.key';
  writeFileSync(
    configFile,
    `contexts:
      node7: { address: '${address}', tls: { ${files}, server-name: node7.btfd.example } }
      node8: { address: 'localhost:${daemon.tcpPort()}', tls: { ${files} } }
      node9: { address: '127.0.0.1:9', tls: { ca: none.crt } }
      here: { address: '${local.address}' }
      other: { address: 'unix:/none' }\n`,
  );
  await using fleet = new BtfFleet(contextNodes('[nh]*e*', { configFile }), { connectTimeout: 30_000 });
  const { nodes } = await fleet.inventory();
  expect([...nodes].map(([name, { kind }]) => `${name} ${kind}`).toSorted()).toEqual([
    'here answered',
    'node7 answered',
    // The name of its address is not in the certificate.
    'node8 unreachable',
    'node9 failed',
  ]);
  const { error } = Object(nodes.get('node9'));
  expect(error.rawMessage).toContain(`tls.caFile: ENOENT: no such file or directory`);
  await using none = new BtfFleet(contextNodes('x*', { configFile }));
  await expect(none.inventory()).rejects.toThrow('no context matches x*');
  expect(() => contextNodes('[a')).toThrow('glob: ');
});
