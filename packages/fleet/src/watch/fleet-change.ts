import type { FleetNode } from '../source/node-source.js';
import type { NodeBuild } from '../survey/ask-node.js';
import type { NodeOutcome } from '../survey/node-outcome.js';

/** NodeState is what a watch knows of a node. */
export interface NodeState {
  readonly outcome: NodeOutcome;
  /** The build of its kernel: of a node that does not respond, the last one that is known. Null if none is known. */
  readonly build: NodeBuild | null;
}

/** NodeAppeared says that the source lists a node that it did not list before. */
export interface NodeAppeared extends NodeState {
  readonly kind: 'node-appeared';
  readonly name: string;
  readonly node: FleetNode;
}

/** NodeChanged says that a node does not respond any more, responds again, or runs another build. */
export interface NodeChanged extends NodeState {
  readonly kind: 'node-changed';
  readonly name: string;
  readonly node: FleetNode;
  readonly before: NodeState;
}

/** NodeLeft says that the source does not list a node any more. */
export interface NodeLeft {
  readonly kind: 'node-left';
  readonly name: string;
  /** The last build of its kernel that is known. */
  readonly build: NodeBuild | null;
}

/** BuildChange says that a build came with its first node, or went with its last one. */
export interface BuildChange {
  readonly kind: 'build-appeared' | 'build-left';
  readonly build: NodeBuild;
  /** The name of the node. */
  readonly name: string;
}

/** FleetSynced says that all nodes of the source were reported: at the beginning, and after the source had failed. */
export interface FleetSynced {
  readonly kind: 'synced';
  readonly nodes: number;
  readonly builds: number;
}

/** SourceFailed says that the source cannot list its nodes, or cannot say when they change. The watch tries again. */
export interface SourceFailed {
  readonly kind: 'source-failed';
  readonly error: Error;
}

/** FleetChange is a change that {@link BtfFleet.watch} reports. */
export type FleetChange = NodeAppeared | NodeChanged | NodeLeft | BuildChange | FleetSynced | SourceFailed;
