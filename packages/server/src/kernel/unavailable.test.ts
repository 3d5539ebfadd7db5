import { ErrorReason, Mode, Operation } from '@btfd/api';
import { expect, test } from '@jest/globals';
import { ServiceError } from '../error/service-error.js';
import { Access } from './access.js';
import { healthStatuses, unavailable } from './unavailable.js';

const refusal = new ServiceError(ErrorReason.KERNEL_WITHOUT_BTF, 'the kernel has no BTF');
const access = new Access(Mode.FULL, { [Operation.SPEC_BY_NAME]: refusal });

test('An operation that does not work is named, with the reason', () => {
  expect(unavailable(access)).toEqual([{ operation: Operation.SPEC_BY_NAME, what: 'by name', why: refusal }]);
  expect(unavailable(new Access(Mode.FULL, {}))).toEqual([]);
});

test('The health of an operation says whether it works on this machine', () => {
  expect(Object.fromEntries(healthStatuses(access))).toEqual({
    '': true,
    'btf.v1.BtfService': true,
    'btf.v1.BtfService/load': true,
    'btf.v1.BtfService/open-by-id': true,
    'btf.v1.BtfService/list-ids': true,
    'btf.v1.BtfService/spec-by-name': false,
  });
});
