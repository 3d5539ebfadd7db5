import { describe, expect, test } from '@jest/globals';
import { Encoding, NoteKind } from '@btfd/api';
import { systemClock } from '../base/clock.js';
import { UnknownParts } from '../observe/unknown-parts.js';
import { describeServed } from '../program/show.js';
import { BtfWriter } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { logLines } from '../testing/log-lines.js';
import { named, ofId, receiveSpec } from '../testing/receive-spec.js';
import { makeServices } from '../testing/services.js';

/** A kind of a later kernel, which only the layout section of vmlinux describes. */
const LATER = 100;
const LAYOUT = Array.from({ length: LATER + 1 }, (_, kind) => [kind === LATER ? 4 : 0, 0] as const);

/** Vmlinux and a module as a later kernel may have them: with flags, bytes in no section, and a new kind. */
function laterKernel(vmlinuxKinds = LAYOUT) {
  const base = new BtfWriter().type(1, 'int', { sizeOrTypeId: 4, data: [32] });
  const split = new BtfWriter(base).type(8, 'mod_t', { sizeOrTypeId: 1 }).type(LATER, 'new', { data: [7] });
  const vmlinux = Uint8Array.from([...base.bytes(vmlinuxKinds), 1, 2, 3]);
  vmlinux[3] = 1;
  const kernel = new FakeKernel();
  kernel.add('vmlinux', vmlinux);
  kernel.add('mod', split.bytes());
  return { kernel, vmlinux, module: split.bytes() };
}

describe('BTF of a kernel that is newer than the daemon', () => {
  test('is sent, with notes about the parts that are unknown', async () => {
    const { kernel, vmlinux } = laterKernel();
    const services = await makeServices(kernel);
    const raw = await receiveSpec(services, named('vmlinux'));
    expect(Buffer.compare(raw.raw, vmlinux)).toBe(0);
    expect(raw.header).toMatchObject({
      typeCount: 1,
      notes: [
        { kind: NoteKind.UNKNOWN_FLAGS, offset: 3, length: 1 },
        { kind: NoteKind.UNKNOWN_BYTES, offset: vmlinux.length - 3, length: 3 },
      ],
    });
    for (const selection of [undefined, { names: ['int'] }]) {
      const types = { ...named('vmlinux'), encoding: Encoding.TYPES, ...(selection && { selection }) };
      const sent = await receiveSpec(services, types);
      expect(sent.types).toMatchObject([{ id: 1, name: 'int' }]);
      expect(sent.header.notes).toEqual(raw.header.notes);
    }
  });

  test('has types of kinds that only the layout section of the base describes', async () => {
    const { kernel, module } = laterKernel();
    const services = await makeServices(kernel);
    const sent = await receiveSpec(services, { ...named('mod'), encoding: Encoding.TYPES });
    expect(sent.types).toMatchObject([
      { id: 2, name: 'mod_t' },
      { id: 3, kind: LATER, name: 'new', detail: { case: 'unknown' } },
    ]);
    const message = `types of unknown kinds: 1 of kind ${LATER}`;
    const notes = [{ kind: NoteKind.UNKNOWN_KINDS, offset: 44, length: 16, message }];
    expect(sent.header).toMatchObject({ typeCount: 2, notes });
    const raw = await receiveSpec(services, named('mod'));
    expect(Buffer.compare(raw.raw, module)).toBe(0);
    expect(raw.header).toMatchObject({ typeCount: 2, notes });
  });

  test('is sent as it is, without a count, if nothing describes its kinds: the client may know them', async () => {
    const alone = new FakeKernel();
    alone.add('mod', laterKernel().module);
    for (const kernel of [alone, laterKernel([]).kernel]) {
      const services = await makeServices(kernel);
      const { header, raw } = await receiveSpec(services, named('mod'));
      expect(Buffer.compare(raw, laterKernel().module)).toBe(0);
      expect(header).toMatchObject({
        typeCount: 0,
        notes: [{ kind: NoteKind.UNKNOWN_KINDS, offset: 44, length: 16 }],
      });
    }
    const services = await makeServices(laterKernel([]).kernel);
    const types = receiveSpec(services, { ...named('mod'), encoding: Encoding.TYPES });
    await expect(types).rejects.toThrow(`type of unknown kind ${LATER}`);
    expect(await describeServed(services, [], false)).toMatch(/mod +module +\d+ +of unknown kinds\n/);
  });

  test('is counted in the list of what is served', async () => {
    const text = await describeServed(await makeServices(laterKernel().kernel), [], false);
    expect(text).toMatch(/vmlinux +vmlinux +\d+ +1\n/);
    expect(text).toMatch(/mod +module +\d+ +2\n/);
  });

  test('is logged once for each object, not for each call', async () => {
    const { logger, lines } = logLines('warn');
    const unknown = new UnknownParts(logger, systemClock);
    const { kernel, vmlinux } = laterKernel();
    const services = await makeServices(kernel, {
      onUnknown: (info, digest, notes) => unknown.note(info, digest, notes),
    });
    for (const request of [named('vmlinux'), ofId(1), named('mod'), named('vmlinux')]) {
      await receiveSpec(services, request);
    }
    unknown.budget.flush();
    expect(lines).toMatchObject([
      {
        btfId: 1,
        name: 'vmlinux',
        notes:
          'unknown flags 0x1 in the header (offset 3, 1 byte); ' +
          `bytes belong to no known section (offset ${vmlinux.length - 3}, 3 bytes)`,
        msg: 'BTF has parts that this btfd does not know: the rest of it is served',
      },
      { btfId: 2, name: 'mod', notes: `types of unknown kinds: 1 of kind ${LATER} (offset 44, 16 bytes)` },
    ]);
  });
});

test('a flood of such objects has a bounded number of lines', () => {
  const { logger, lines } = logLines('warn');
  const unknown = new UnknownParts(logger, systemClock);
  const note = { kind: 'UNKNOWN_FLAGS', offset: 3, length: 1, message: 'm' } as const;
  for (let id = 1; id <= 1500; id++) unknown.note({ id, name: '' }, 'd', [note]);
  unknown.budget.flush();
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toMatchObject({ leftOut: 1400 });
});
