import { BtfService } from '@btfd/api';
import { expect, test } from '@jest/globals';
import { Health } from '@btfd/api/grpc-services';
import { Reflection } from './reflection.js';
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
  for (const { name } of Health.methods) expect(roleForPath(`/${Health.typeName}/${name}`)).toBeNull();
  const paths: string[] = [];
  new Reflection().addToServer({
    addService: (service) => paths.push(...Object.values(service).map(({ path }) => path)),
  });
  expect(paths).toHaveLength(2);
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
