import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { decodeNeed, decodeRelocation, decodeVerdict } from './decode-report.js';
import { NeedSchema, RelocationSchema, Verdict } from './gen/btf/v1/object_pb.js';
import {
  encodeNeed,
  encodeRelocation,
  type NeedFields,
  type RelocationFindingFields,
} from './object-report.js';

const LOCAL = { typeId: 3, text: 'struct inode.i_ctime.tv_sec', access: '0:3:0', bitOffset: 2 ** 33 };
const SOURCE = { file: 'a.bpf.c', line: 7, column: 3, text: 'return BPF_CORE_READ(inode, i_ctime);' };

const MATCH = {
  object: 'vmlinux',
  typeId: 11,
  typeName: 'struct inode',
  place: { ...LOCAL, typeId: 11 },
  reason: '',
};

const RELOCATION: RelocationFindingFields = {
  relocation: {
    index: 4,
    section: 'fentry/x',
    program: { name: 'x' },
    instruction: 12,
    kind: 'FIELD_BYTE_OFFSET',
    kindNumber: 0,
    local: LOCAL,
    outcome: 'RESOLVED',
    localValue: 2n ** 64n - 1n,
    targetValue: 8n,
    localSize: 4,
    targetSize: 8,
    match: MATCH,
    candidates: [MATCH, { ...MATCH, place: null, reason: 'has no member i_ctime' }],
    candidateCount: 20,
    patch: { part: 'OFFSET', from: 16n, to: 8n, size: { from: 4, to: 8 } },
  },
  reach: 'NEVER_AS_INITIALIZED',
  verdict: 'CHANGED',
  source: SOURCE,
  reason: '',
  near: ['i_ctime_sec'],
};

const NEED: NeedFields = {
  kind: 'KFUNC',
  name: 'bpf_task_acquire',
  optional: true,
  verdict: 'FAILS',
  object: 'vmlinux',
  typeId: 5,
  local: 'int bpf_task_acquire(void)',
  target: 'struct task_struct *bpf_task_acquire(struct task_struct *p)',
  source: SOURCE,
  reason: 'the prototypes differ',
  near: ['bpf_task_release'],
};

function sentRelocation(finding: RelocationFindingFields): RelocationFindingFields {
  const bytes = toBinary(RelocationSchema, encodeRelocation(finding));
  return decodeRelocation(fromBinary(RelocationSchema, bytes));
}

function sentNeed(need: NeedFields): NeedFields {
  return decodeNeed(fromBinary(NeedSchema, toBinary(NeedSchema, encodeNeed(need))));
}

test('a relocation is the same after its message was sent', () => {
  expect(sentRelocation(RELOCATION)).toEqual(RELOCATION);
});

test('absent parts of a relocation are absent after its message was sent', () => {
  const bare: RelocationFindingFields = {
    relocation: {
      ...RELOCATION.relocation,
      program: null,
      kind: null,
      kindNumber: 99,
      local: null,
      outcome: 'REFUSED',
      match: null,
      candidates: [],
      patch: null,
    },
    reach: null,
    verdict: 'FAILS',
    source: null,
    reason: 'relocation kind 99 is not known',
    near: [],
  };
  expect(sentRelocation(bare)).toEqual(bare);
});

test('a need is the same after its message was sent', () => {
  expect(sentNeed(NEED)).toEqual(NEED);
  const bare: NeedFields = {
    ...NEED,
    object: null,
    typeId: null,
    local: '',
    target: '',
    source: null,
    near: [],
  };
  expect(sentNeed(bare)).toEqual(bare);
});

test('values of a later release are unknown', () => {
  // Fields 9 to 11 and the field 1 of field 19 are enums.
  const relocation = fromBinary(RelocationSchema, Uint8Array.of(72, 99, 80, 99, 88, 99, 154, 1, 2, 8, 99));
  expect(decodeRelocation(relocation)).toMatchObject({
    relocation: { outcome: 'UNKNOWN', patch: null },
    verdict: 'UNKNOWN',
    reach: null,
  });
  expect(decodeNeed(fromBinary(NeedSchema, Uint8Array.of(8, 99))).kind).toBe('UNKNOWN');
});

test('a verdict that is not set is null', () => {
  expect(decodeVerdict(Verdict.UNSPECIFIED)).toBeNull();
  expect(decodeVerdict(Verdict.AT_RISK)).toBe('AT_RISK');
});

test('long texts are cut, so that a finding fits into a message', () => {
  const long = '\u{20ac}'.repeat(70_000);
  const place = { typeId: 1, text: long, access: long, bitOffset: 0 };
  const candidate = { object: long, typeId: 1, typeName: long, place, reason: long };
  const finding: RelocationFindingFields = {
    ...RELOCATION,
    relocation: {
      ...RELOCATION.relocation,
      section: long,
      program: { name: long },
      local: place,
      match: candidate,
      candidates: Array.from({ length: 16 }, () => candidate),
    },
    source: { file: long, text: long, line: 1, column: 1 },
    reason: long,
    near: [long, long, long],
  };
  const { length } = toBinary(RelocationSchema, encodeRelocation(finding));
  expect(length).toBeLessThan(240 * 1024);
  expect(sentRelocation(finding).reason).toBe(`${'\u{20ac}'.repeat(1023)}…`);
});
