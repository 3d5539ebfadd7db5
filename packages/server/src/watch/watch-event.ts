import type { ObjectInfo } from '../kernel/kernel.js';

/** WatchEvent tells that an object came or went. */
export interface WatchEvent {
  readonly kind: 'added' | 'removed';
  readonly info: ObjectInfo;
  /** Its number among all events of this run of the daemon, from 1. */
  readonly sequence: number;
}
