/**
 * The contexts of btfctl for programs: the daemons in its config file, with their certificates.
 *
 * ```ts
 * import { fromContext } from '@btfd/client/contexts';
 *
 * await using client = await fromContext('web1');
 * ```
 *
 * @module
 */
export {
  ConfigError,
  type Config,
  type ContextNode,
  type ContextTls,
  type FleetConfig,
  type FleetSource,
  readConfig,
} from './config.js';
export type { ConfigDocument } from './config-document.js';
export { configPath } from './config-path.js';
export {
  type Context,
  type ContextOptions,
  type FromContextOptions,
  fromContext,
  listContexts,
  parseConfig,
} from './contexts.js';
