import type { HandleInfo } from './handle-info.js';

/**
 * WatchEvent is what a watch tells. A type may be added in a later release: pass over one that you do not know.
 *
 * - `present`: an object that was there when the watch began.
 * - `synced`: what is there has been told. It comes behind the last `present`, and again each time that the client had
 *   to list anew; `relisted` then, and what came and went since the connection broke was not told.
 * - `added`: an object that came.
 * - `removed`: an object that went, with what was last known of it. Its id is valid no more.
 */
export type WatchEvent =
  | { readonly type: 'present' | 'added' | 'removed'; readonly info: HandleInfo }
  | { readonly type: 'synced'; readonly relisted: boolean };
