import config from './jest.config.js';

/** Tests in virtual machines. `pnpm test:kernels` runs them. */
export default {
  ...config,
  roots: ['<rootDir>/packages/e2e/src/kernels'],
  testMatch: ['**/*.machine.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // One machine at a time: each keeps a processor busy.
  maxWorkers: 1,
  testTimeout: 20 * 60_000,
};
