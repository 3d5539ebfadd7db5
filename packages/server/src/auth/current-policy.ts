import type { Policy } from './policy.js';

/** CurrentPolicy is the policy in force, which may be replaced. */
export class CurrentPolicy {
  private readonly listeners = new Set<() => void>();

  constructor(private policy: Policy) {}

  get now(): Policy {
    return this.policy;
  }

  /** Puts another policy in force, and tells who listens. */
  replace(policy: Policy): void {
    this.policy = policy;
    for (const listener of this.listeners) listener();
  }

  onReplaced(listener: () => void): void {
    this.listeners.add(listener);
  }
}
