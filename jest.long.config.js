import config from './jest.config.js';

/** Tests that take too long for each run: large corpora, fuzzing, many versions. `pnpm test:long` runs them. */
export default {
  ...config,
  testMatch: ['**/src/**/*.long.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 20 * 60_000,
};
