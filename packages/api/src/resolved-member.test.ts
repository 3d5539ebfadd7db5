import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { ResolvedMemberSchema } from './gen/btf/v1/spec_pb.js';
import { decodeMember, encodeMember, type MemberFields } from './resolved-member.js';

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
