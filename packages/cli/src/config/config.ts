import type { Config } from '@btfd/client/contexts';

export type { Config, ContextNode as Node, ContextTls as TlsFiles, FleetConfig } from '@btfd/client/contexts';

/** EMPTY_CONFIG is the config without a file. */
export const EMPTY_CONFIG: Config = { currentContext: null, contexts: new Map(), fleet: null };
