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

test('Listing ids is named only if objects can be opened by id: otherwise the reason is the same', () => {
  const list = { [Operation.LIST_IDS]: refusal };
  const words = (each: Access) => unavailable(each).map(({ what }) => what);
  expect(words(new Access(Mode.LOAD_AND_FILES, list))).toEqual(['listing ids']);
  expect(words(new Access(Mode.FILES, { ...list, [Operation.OPEN_BY_ID]: refusal }))).toEqual(['by id']);
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
