import { expect, test } from '@jest/globals';
import { pagerOf } from './pager-choice.js';

const PATH = '/usr/bin:/bin';

test.each([
  [{ PATH, PAGER: 'sh -x' }, 'sh -x'],
  [{ PATH, PAGER: '/bin/sh' }, '/bin/sh'],
  [{ PATH, PAGER: 'more', BTFD_PAGER: 'sh' }, 'sh'],
  [{ PATH, PAGER: '' }, null],
  [{ PATH, PAGER: 'cat' }, null],
  [{ PATH, PAGER: 'no-such-pager' }, null],
  [{ PATH: '/nonexistent' }, null],
])('with the environment %j, the pager is %s', (env, pager) => {
  expect(pagerOf(env)).toBe(pager);
});
