/** SHELLS are the shells that there is a completion script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Shell is one of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];
