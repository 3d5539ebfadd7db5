import type { KnownNode } from './known-node.js';
import type { Survey, SurveyedNode, SurveyListener } from './survey.js';

/** SurveyRun is a survey, or one that was made before. */
export type SurveyRun = Pick<Survey, 'run' | 'endLate'>;

/** PastSurvey keeps the results of a survey for the questions that follow, so that silent nodes are waited for once. */
export class PastSurvey {
  readonly #nodes: { readonly surveyed: SurveyedNode; readonly known: KnownNode | null }[] = [];

  /** The results, in the order in which they came. */
  get surveyed(): readonly SurveyedNode[] {
    return this.#nodes.map(({ surveyed }) => surveyed);
  }

  /** add is the listener of the survey. A node whose kernel is asked later is checked for a boot in between. */
  readonly add: SurveyListener = (surveyed, known) =>
    void this.#nodes.push({ surveyed, known: known === null ? null : { ...known, isFromMemory: true } });

  /** Returns a survey that has the same results, of some of the nodes. */
  again(listener: SurveyListener, isWanted: (surveyed: SurveyedNode) => boolean = () => true): SurveyRun {
    return {
      run: async () => {
        for (const { surveyed, known } of this.#nodes) if (isWanted(surveyed)) listener(surveyed, known);
      },
      // Each node has a result.
      endLate: () => {},
    };
  }
}
