import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { MemberErrorCode, MemberErrorSchema, ResolvedMemberSchema } from './gen/btf/v1/spec_pb.js';
import {
  decodeMember,
  decodeMemberError,
  encodeMember,
  encodeMemberError,
  type MemberErrorFields,
  type MemberFields,
} from './resolved-member.js';

const MEMBER: MemberFields = {
  containerId: 7,
  bitOffset: 2 ** 40 + 3,
  bitSize: 5,
  bitfield: true,
  typeId: 9,
  typeName: 'unsigned int',
  dereferences: [{ bitOffset: 64, typeId: 11, targetId: 7, tags: ['rcu', 'user'] }],
};

test('a member is the same after its message was sent', () => {
  const bytes = toBinary(ResolvedMemberSchema, encodeMember(MEMBER));
  expect(decodeMember(fromBinary(ResolvedMemberSchema, bytes))).toEqual(MEMBER);
});

test('fields that the message does not have are left out', () => {
  const wider = { ...MEMBER, steps: [{ name: 'a' }] };
  expect(encodeMember(wider)).toEqual(encodeMember(MEMBER));
});

test('an error is the same after its message was sent', () => {
  const error: MemberErrorFields = {
    message: 'a: 2 types have the name',
    code: 'AMBIGUOUS',
    step: -1,
    candidates: [
      { typeId: 7, typeName: 'struct a', inBase: true, member: MEMBER },
      { typeId: 9, typeName: 'union a', inBase: false, member: null },
    ],
    candidateCount: 3,
  };
  const sent = fromBinary(MemberErrorSchema, toBinary(MemberErrorSchema, encodeMemberError(error)));
  expect(decodeMemberError(sent)).toEqual(error);
});

test('each code has its name, and an older or newer one is unknown', () => {
  const codes = Object.values(MemberErrorCode).filter((code) => typeof code === 'number');
  const names = codes.map((code) => decodeMemberError(create(MemberErrorSchema, { code })).code);
  expect(names).toEqual(
    codes.map((code) => (code === MemberErrorCode.UNSPECIFIED ? 'UNKNOWN' : MemberErrorCode[code])),
  );
  // The field 2 with the number 99.
  expect(decodeMemberError(fromBinary(MemberErrorSchema, Uint8Array.of(16, 99))).code).toBe('UNKNOWN');
});
