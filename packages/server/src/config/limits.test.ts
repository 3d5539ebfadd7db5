import { describe, expect, test } from '@jest/globals';
import { readEnvironment } from './environment.js';
import { parseConfig } from './file.js';
import { LIMIT_SETTINGS } from './limit-settings.js';
import { DEFAULT_LIMITS, DERIVED_LIMITS, limitsFrom, whyRemoved, type Limits } from './limits.js';
import { variableOf, type Setting } from './setting.js';
import { SETTINGS } from './settings.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** The limits if some settings have other values. */
function withSettings(changed: Partial<Limits>): Limits {
  const rows = Object.entries<Setting<number>>(LIMIT_SETTINGS);
  return limitsFrom((setting) => {
    const key = rows.find(([, row]) => row === setting)?.[0];
    return Object.entries(changed).find(([each]) => each === key)?.[1] ?? setting.fallback;
  });
}

describe('A derived limit', () => {
  test('has the default that it had as a setting', () => {
    expect(DEFAULT_LIMITS).toMatchObject({
      maxLoadMessageBytes: 17 * MIB,
      maxLoadsPerPrincipal: 8,
      maxQueuedLoadBytes: 64 * MIB,
      maxObjectMessageBytes: 9 * MIB,
      maxCheckedBytes: 256 * MIB,
      maxCheckedBytesPerPrincipal: 64 * MIB,
      maxJobsPerPrincipal: 64,
      maxChecks: 16,
      maxChecksPerPrincipal: 4,
      maxSpecBytesPerPrincipal: 128 * MIB,
      maxHandlesPerPrincipal: 4_096,
      maxHeldBtfBytesPerPrincipal: 256 * MIB,
      maxCallsPerPrincipal: 512,
      maxStreamsPerPrincipal: 256,
      maxConnectionsPerPrincipal: 256,
      maxHandshakes: 256,
      defaultLogBytes: 256 * KIB,
      maxAnswerBytes: 4 * MIB - 4 * KIB,
      chunkBytes: 256 * KIB,
      unauthenticatedMs: 5_000,
      minBookmarkMs: 1_000,
      maxBookmarkMs: 3_600_000,
    } satisfies Record<keyof typeof DERIVED_LIMITS, number>);
  });

  test.each<[Partial<Limits>, Partial<Limits>]>([
    [{ maxHandles: 8 }, { maxHandlesPerPrincipal: 2 }],
    [{ maxHandles: 1 }, { maxHandlesPerPrincipal: 1 }],
    [{ maxConnections: 7 }, { maxConnectionsPerPrincipal: 1, maxHandshakes: 1 }],
    [{ maxQueuedLoads: 256 }, { maxLoadsPerPrincipal: 64 }],
    [{ maxBtfBytes: MIB }, { maxLoadMessageBytes: 2 * MIB, maxQueuedLoadBytes: 4 * MIB }],
    [{ maxMessageBytes: 20 * MIB }, { maxLoadMessageBytes: 20 * MIB, maxObjectMessageBytes: 20 * MIB }],
    [{ maxObjectBytes: MIB }, { maxObjectMessageBytes: 2 * MIB, maxCheckedBytes: 32 * MIB }],
    [{ maxLogBytes: 64 * KIB }, { defaultLogBytes: 64 * KIB, maxAnswerBytes: 4 * MIB - 4 * KIB }],
    [{ maxLogBytes: 16 * MIB }, { defaultLogBytes: 256 * KIB, maxAnswerBytes: 16 * MIB - 4 * KIB }],
    [{ handshakeMs: 3 }, { unauthenticatedMs: 1 }],
    [{ defaultBookmarkMs: 500 }, { minBookmarkMs: 500, maxBookmarkMs: 3_600_000 }],
    [{ defaultBookmarkMs: 7_200_000 }, { minBookmarkMs: 1_000, maxBookmarkMs: 7_200_000 }],
  ])('follows the settings %j', (changed, derived) => {
    expect(withSettings(changed)).toMatchObject(derived);
  });
});

describe('A removed setting', () => {
  const names = Object.values(DERIVED_LIMITS).map(({ name }) => name);

  test.each(names)('%s is not the name of a setting any more', (name) => {
    expect(SETTINGS.map((setting) => setting.name)).not.toContain(name);
  });

  test.each(names)('%s is refused as a key, with the keys that replaced it', (name) => {
    const { given, problems } = parseConfig(`max-ttl: 1s\n${name}: 1`, 'f.yaml', SETTINGS);
    expect(problems).toEqual([`f.yaml:2: ${name} ${whyRemoved(name, (setting) => setting.name)}`]);
    expect([...given.keys()]).toEqual(['max-ttl']);
  });

  test.each(names)('%s is refused as a variable, with the variables that replaced it', async (name) => {
    const variable = variableOf({ name });
    const { given, problems } = await readEnvironment({ [variable]: '1' }, SETTINGS);
    expect(problems).toEqual([`${variable} ${whyRemoved(name, variableOf)}`]);
    expect(given.size).toBe(0);
  });

  test('is reported with its replacement, named like the key, flag or variable', async () => {
    const name = 'max-handles-per-principal';
    expect(parseConfig(`${name}: 1`, 'f.yaml', SETTINGS).problems).toEqual([
      'f.yaml:1: max-handles-per-principal was removed: it is a quarter of max-handles',
    ]);
    expect((await readEnvironment({ BTFD_MAX_HANDLES_PER_PRINCIPAL: '1' }, SETTINGS)).problems).toEqual([
      'BTFD_MAX_HANDLES_PER_PRINCIPAL was removed: it is a quarter of BTFD_MAX_HANDLES',
    ]);
  });

  test('does not include names that never existed', () => {
    expect(whyRemoved('max-nonsense', ({ name }) => name)).toBeNull();
    expect(whyRemoved('max-handles', ({ name }) => name)).toBeNull();
  });
});
