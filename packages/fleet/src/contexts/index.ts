/**
 * The contexts of btfctl as the nodes of a fleet.
 *
 * ```ts
 * import { BtfFleet } from '@btfd/fleet';
 * import { contextNodes } from '@btfd/fleet/contexts';
 *
 * await using fleet = new BtfFleet(contextNodes('web*'));
 * ```
 *
 * @module
 */
export { contextNodes, type ContextNodesOptions } from './context-nodes.js';
