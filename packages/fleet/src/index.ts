/**
 * A fleet of btfd daemons: ask the nodes of a cluster one thing, and learn the answer once for each build of the kernel.
 *
 * ```ts
 * import { BtfFleet, dnsNodes } from '@btfd/fleet';
 *
 * await using fleet = new BtfFleet(dnsNodes('btfd.btfd.svc.cluster.local:7443'), { tls });
 * for (const { build, nodes } of (await fleet.inventory()).builds) console.log(build.releases, nodes.length);
 * ```
 *
 * @module
 */
export { BtfFleet, type BtfFleetOptions } from './fleet.js';
export type {
  Inventory,
  InventoryBuild,
  ResolveMembersOptions,
  SurveyOptions,
  WatchFleetOptions,
} from './fleet.js';
export type { AskedNode, AskOptions, Dependencies, Question } from './ask/ask-builds.js';
export type { BuildAnswer, FleetAnswer, KernelBuild } from './ask/fleet-answer.js';
export { dnsNodes, type DnsNodesOptions } from './source/dns-nodes.js';
export { checkDependencies, type FleetCheckOptions } from './question/check-object.js';
export type { FleetDiffOptions } from './question/diff.js';
export type { FindTypesOptions, FoundType } from './question/find-types.js';
export type { FleetMember } from './question/resolve-members.js';
export type { FleetNode, ListOptions, NodeSource } from './source/node-source.js';
export type { FailureKind, NodeFailure, NodeOutcome } from './survey/node-outcome.js';
export type { NodeBuild } from './survey/ask-node.js';
export type { NodeClientOptions } from './survey/node-client.js';
export type { SurveyedNode } from './survey/survey.js';
export type {
  BuildChange,
  FleetChange,
  FleetSynced,
  NodeAppeared,
  NodeChanged,
  NodeLeft,
  NodeState,
  SourceFailed,
} from './watch/fleet-change.js';
export { staticNodes } from './source/static-nodes.js';
