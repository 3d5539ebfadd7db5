import type { Logger } from 'pino';
import type { TcpAddress } from '../base/address.js';
import type { Limits } from '../config/limits.js';

/** ObservabilityOptions are the options of logs and metrics. */
export interface ObservabilityOptions {
  readonly logger: Logger;
  /** The HTTP address of metrics and probes. Default: null, which serves none. */
  readonly metricsAddress?: TcpAddress | null;
  /** Whether it is an error if that address cannot be used. Otherwise it is a warning. Default: true. */
  readonly metricsRequired?: boolean;
  /** Returns how many log lines were dropped until now. Default: 0. */
  readonly droppedLogLines?: () => number;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Pick<Limits, 'maxLogLines'>>;
}
