import type { ListOptions, NodeSource, SurveyedNode } from '@btfd/fleet';
import { counted } from '../output/numbers.js';
import type { Steps } from '../output/steps.js';

/** FleetProgress shows on a terminal how many nodes have responded: `812/1000 nodes, 3 builds, 9 silent`. */
export class FleetProgress implements Disposable {
  readonly #steps: Steps;
  readonly #builds = new Set<string>();
  #total = 0;
  #known = 0;
  #silent = 0;
  #failed = 0;

  constructor(steps: Steps) {
    this.#steps = steps;
  }

  /** Returns the source, of which each listing begins the count again. */
  following(source: NodeSource): NodeSource {
    return {
      ...source,
      list: async (options?: ListOptions) => {
        const nodes = await source.list(options);
        this.#total = nodes.length;
        this.#known = this.#silent = this.#failed = 0;
        return nodes;
      },
    };
  }

  /** Counts a node. */
  add({ outcome, build }: SurveyedNode): void {
    this.#known += 1;
    if (build !== null) this.#builds.add(`${build.machine} ${build.digest ?? build.release}`);
    if (outcome.kind === 'unreachable' || outcome.kind === 'starved') this.#silent += 1;
    else if ('error' in outcome) this.#failed += 1;
    this.#steps.show(this.#text());
  }

  [Symbol.dispose](): void {
    this.#steps[Symbol.dispose]();
  }

  #text(): string {
    return [
      `${this.#known}/${this.#total} nodes`,
      counted(this.#builds.size, 'build'),
      ...(this.#silent === 0 ? [] : [`${this.#silent} silent`]),
      ...(this.#failed === 0 ? [] : [`${this.#failed} failed`]),
    ].join(', ');
  }
}
