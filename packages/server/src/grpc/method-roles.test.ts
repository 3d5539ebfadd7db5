import { BtfService } from '@btfd/api';
import { expect, test } from '@jest/globals';
import { service as healthService } from 'grpc-health-check';
import { reflectionService } from './reflection.js';
import { METHOD_ROLES, roleForPath } from './method-roles.js';

test('Every RPC needs the role of the table', () => {
  const roles = BtfService.methods.map(({ name, localName }) => [
    localName,
    roleForPath(`/${BtfService.typeName}/${name}`),
  ]);
  expect(Object.fromEntries(roles)).toEqual(METHOD_ROLES);
  expect(roleForPath('/btf.v1.BtfService/LoadHandle')).toBe('loader');
});

test('Health needs no role, reflection the lowest, and an unknown method the highest', () => {
  for (const { path } of Object.values(healthService)) expect(roleForPath(path)).toBeNull();
  const paths: string[] = [];
  reflectionService().addToServer({
    addService: (service: Record<string, { path: string }>) =>
      paths.push(...Object.values(service).map(({ path }) => path)),
  });
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.map(roleForPath)).toEqual(paths.map(() => 'viewer'));
  for (const path of [
    '/btf.v1.BtfService/Unknown',
    '/other.Service/Method',
    '',
    '/grpc.health.v1.HealthX/Check',
  ]) {
    expect(roleForPath(path)).toBe('loader');
  }
});
