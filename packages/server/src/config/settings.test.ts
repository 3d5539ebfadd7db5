import { describe, expect, test } from '@jest/globals';
import { Config } from './config.js';
import { crossProblems } from './cross-checks.js';
import { LIMIT_SETTINGS } from './limit-settings.js';
import { DEFAULT_LIMITS } from './limits.js';
import { variableOf } from './setting.js';
import { SETTINGS } from './settings.js';

describe('Every setting', () => {
  test.each(SETTINGS.map((setting) => [setting.name, setting] as const))(
    '%s has a name, a description and a reason in the form of the others',
    (name, { description, reason }) => {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(description).toMatch(/^[a-z].*[^.\s]$/i);
      expect(reason).toMatch(/^([A-Z1-9]|gRPC |btfd |journald ).*\.$/);
      // A cell of a table.
      expect(description + reason).not.toMatch(/[|\n]/);
    },
  );

  test('has a unique name, and so a unique variable', () => {
    expect(new Set(SETTINGS.map(variableOf)).size).toBe(SETTINGS.length);
  });
});

describe('Every limit', () => {
  test.each(Object.entries(LIMIT_SETTINGS))(
    '%s has a default that could be given',
    (_, { kind, fallback }) => {
      expect(kind.parse([kind.format(fallback)])).toBe(fallback);
    },
  );

  test('has its default if nothing is given, and the defaults do not conflict', () => {
    const config = new Config(new Map());
    expect(config.limits).toEqual(DEFAULT_LIMITS);
    expect(crossProblems(config)).toEqual([]);
  });

  test('is a setting', () => {
    expect(SETTINGS).toEqual(expect.arrayContaining(Object.values(LIMIT_SETTINGS)));
  });
});
