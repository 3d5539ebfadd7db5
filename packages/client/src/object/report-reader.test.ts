import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  BpfLoader,
  ByteOrder,
  type CheckObjectResponse,
  CheckObjectResponseSchema,
  NeedKind,
  Verdict,
} from '@btfd/api';
import { messagesNow } from '../call/methods.js';
import { rejection } from '../testing/promises.js';
import { joinReport, type ObjectReportPart } from './object-report.js';
import { readReport } from './report-reader.js';

type Part = NonNullable<MessageInitShape<typeof CheckObjectResponseSchema>['part']>;

const HEADER = {
  loader: BpfLoader.CILIUM_EBPF,
  kernel: { name: 'vmlinux' },
};
const header = (init: object = {}): Part => ({ case: 'header', value: { ...HEADER, ...init } });

const program = (name: string, init: object = {}): Part => ({
  case: 'program',
  value: { name, section: 'xdp', loaded: true, verdict: Verdict.FITS, ...init },
});

const summary = (init: object = {}): Part => ({
  case: 'summary',
  value: { verdict: Verdict.FITS, byteOrder: ByteOrder.BIG_ENDIAN, ...init },
});

const need = (name: string) => ({ kind: NeedKind.HELPER, name, verdict: Verdict.FAILS });

async function* responses(parts: readonly Part[]): AsyncGenerator<CheckObjectResponse, void, undefined> {
  for (const part of parts) yield create(CheckObjectResponseSchema, { part });
}

async function read(...parts: readonly Part[]): Promise<ObjectReportPart[]> {
  const found: ObjectReportPart[] = [];
  for await (const part of readReport(responses(parts), await messagesNow())) found.push(part);
  return found;
}

describe('readReport', () => {
  test('joins the messages of a program, and those of the summary', async () => {
    const parts = await read(
      header(),
      program('a', { continued: true, verdict: Verdict.FAILS, needs: [need('one')] }),
      program('a', { verdict: Verdict.FAILS, needs: [need('two')], relocations: [{ index: 3 }] }),
      program('b', { loaded: false, verdict: Verdict.UNSPECIFIED, programType: 'XDP' }),
      summary({ continued: true, needs: [need('three')] }),
      summary({ needs: [need('four')], notJudged: ['a thing'], modules: [{ name: 'nf_nat' }] }),
    );
    expect(parts.map(({ type }) => type)).toEqual(['header', 'program', 'program', 'summary']);
    expect(parts).toMatchObject([
      { header: { loader: 'cilium', kernelVersion: null } },
      {
        program: {
          name: 'a',
          programType: null,
          needs: [{ name: 'one' }, { name: 'two' }],
          relocations: [{ relocation: { index: 3 } }],
        },
      },
      { program: { name: 'b', programType: 'XDP', loaded: false, verdict: null } },
      {
        summary: {
          byteOrder: 'big',
          needs: [{ name: 'three' }, { name: 'four' }],
          notJudged: ['a thing'],
          modules: [{ name: 'nf_nat' }],
        },
      },
    ]);
  });

  test.each<[string, readonly Part[], string]>([
    ['no message', [], 'has no header'],
    ['a program first', [program('a')], 'sent a program before the header'],
    ['a summary first', [summary()], 'sent a summary before the header'],
    ['two headers', [header(), header()], 'sent a second header'],
    ['no summary', [header(), program('a')], 'has no summary'],
    ['half a summary', [header(), summary({ continued: true })], 'has no summary'],
    ['a program after the summary', [header(), summary(), program('a')], 'sent a program after the summary'],
    ['two summaries', [header(), summary(), summary()], 'sent a summary after the summary'],
    [
      'another program in place of the rest',
      [header(), program('a', { continued: true }), program('b')],
      'sent a program xdp b instead of the rest of the program xdp a',
    ],
    [
      'a summary in place of the rest',
      [header(), program('a', { continued: true }), summary()],
      'sent a summary instead of the rest',
    ],
    ['a part of a later release', [header(), { case: undefined }], 'has no part that this client knows'],
    ['an unknown byte order', [header(), summary({ byteOrder: 9 })], 'has no byte order'],
    ['an unknown loader', [header({ loader: 9 })], 'has no loader'],
    ['no kernel', [header({ kernel: undefined })], 'has no kernel'],
  ])('refuses %s', async (_, parts, words) => {
    expect(await rejection(read(...parts))).toMatchObject({
      reason: 'INVALID_RESPONSE',
      message: expect.stringContaining(words),
    });
  });

  test('refuses a report without an end', async () => {
    const needs = Array.from({ length: 1000 }, () => need('n'));
    const endless = Array.from({ length: 600 }, () => program('a', { continued: true, needs }));
    expect(await rejection(read(header(), ...endless))).toMatchObject({
      reason: 'INVALID_RESPONSE',
      message: expect.stringContaining('more than 524288 findings'),
    });
  });

  test('does not count verdicts of a later release', async () => {
    const counts = [
      { verdict: Verdict.FITS, programs: 1 },
      { verdict: 99, programs: 1 },
    ];
    const [, last] = await read(header(), summary({ counts, verdict: 99 }));
    expect(last).toMatchObject({
      summary: { verdict: 'UNKNOWN', counts: [{ verdict: 'FITS' }, { verdict: 'UNKNOWN' }] },
    });
  });
});

test('joinReport throws without a header', async () => {
  async function* none(): AsyncGenerator<ObjectReportPart, void, undefined> {}
  await expect(joinReport(none())).rejects.toThrow(TypeError);
});
