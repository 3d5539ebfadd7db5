import config from './jest.config.js';

/** What takes too long for every run: wide corpora, fuzzing, many versions. `pnpm test:long` runs it. */
export default {
  ...config,
  testMatch: ['**/src/**/*.long.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 20 * 60_000,
};
