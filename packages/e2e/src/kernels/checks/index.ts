import type { Check } from './check.js';
import { COMMANDS } from './commands.js';
import { GUARDING } from './guarding.js';
import { LOADING } from './loading.js';
import { MODULES } from './modules.js';
import { OBJECTS } from './objects.js';
import { READING } from './reading.js';
import { RESOURCES } from './resources.js';
import { RIGHTS_CHECKS } from './rights.js';
import { TOKENS } from './tokens.js';
import { VALIDATING } from './validating.js';
import { WITHOUT_IDS } from './without-ids.js';
import { WITHOUT_SYSFS_CHECKS } from './without-sysfs.js';

/** CHECKS are all checks, in the order in which one machine runs them. */
export const CHECKS: readonly Check[] = [
  ...VALIDATING,
  ...LOADING,
  ...GUARDING,
  ...READING,
  ...COMMANDS,
  ...WITHOUT_IDS,
  ...MODULES,
  ...OBJECTS,
  ...WITHOUT_SYSFS_CHECKS,
  ...RIGHTS_CHECKS,
  ...TOKENS,
  ...RESOURCES,
];
