import { LIMIT_SETTINGS } from '../limits.js';
import { setting, type Setting } from './setting.js';
import { ADDRESSES, choice, DIRECTORY, SWITCH } from './kinds.js';

/** SERVING are the settings of where to listen and what to serve. */
export const SERVING = {
  listen: setting({
    name: 'listen',
    kind: ADDRESSES,
    fallback: [],
    fallbackText: 'unix:/run/btfd/btfd.sock for root',
    description: 'addresses to listen on: unix:PATH or HOST:PORT',
    reason: 'Where clients look for the daemon of the same user.',
  }),
  insecure: setting({
    name: 'insecure',
    kind: SWITCH,
    fallback: false,
    description: 'allow HOST:PORT without TLS, on loopback only: every local user can connect',
    reason: 'Who can connect can read the types of the kernel, and load BTF.',
  }),
  btfDir: setting({
    name: 'btf-dir',
    kind: DIRECTORY,
    fallback: null,
    description: 'serve the raw BTF files of a folder instead of the kernel',
    reason: 'The kernel is what is asked about.',
  }),
};

/** LOGGING are the settings of what the daemon says. */
export const LOGGING = {
  logLevel: setting({
    name: 'log-level',
    kind: choice('LEVEL', ['debug', 'info', 'warn', 'error', 'silent']),
    fallback: 'info',
    description: 'log from this level on, to standard error',
    reason: 'A line for what an operator does, none for a call.',
  }),
};

/** SettingGroup is a heading and what stands under it in help and documentation. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting<unknown>[];
}

/** SETTING_GROUPS are all settings, in the order in which they are told. */
export const SETTING_GROUPS: readonly SettingGroup[] = [
  { title: 'Serving', settings: Object.values(SERVING) },
  { title: 'Logs', settings: Object.values(LOGGING) },
  { title: 'Limits', settings: Object.values(LIMIT_SETTINGS) },
];

/** SETTINGS are all settings. */
export const SETTINGS: readonly Setting<unknown>[] = SETTING_GROUPS.flatMap(({ settings }) => settings);
