import { availableParallelism } from 'node:os';
import { extendPath } from './testing/set-up.js';

extendPath();

/** Tests are next to the code in `src`. They import other packages as built, like the users of those packages. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/native/src', '<rootDir>/packages', '<rootDir>/examples'],
  testMatch: ['**/src/**/*.test.ts', '**/examples/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '[.](?:long|machine|image)[.]test[.]ts$'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          externalHelpers: true,
          parser: { syntax: 'typescript', explicitResourceManagement: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Tests wait more than they compute. They share one kernel: none may rely on the objects that other tests load.
  maxWorkers: Math.min(Math.max(availableParallelism(), 4), 8),
  // A bound for a test that hangs, however busy the machine is.
  testTimeout: 900_000,
  reporters: ['<rootDir>/testing/skip-summary.js', 'default'],
};
