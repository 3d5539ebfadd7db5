import config from './jest.config.js';

/** Tests of the image. `pnpm test:image` builds it and runs them. */
export default {
  ...config,
  testMatch: ['**/src/**/*.image.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
