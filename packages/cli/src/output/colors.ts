import picocolors from 'picocolors';

/** Colors writes text in colour, or leaves it as it is if colours are off. */
export type Colors = ReturnType<typeof makeColors>;

/** makeColors returns the {@link Colors} of a stream. */
export function makeColors(enabled: boolean) {
  const colors = picocolors.createColors(enabled);
  return {
    enabled,
    heading: colors.bold,
    strong: colors.bold,
    faint: colors.dim,
    good: colors.green,
    bad: colors.red,
    changed: colors.yellow,
    name: colors.cyan,
    hole: (text: string) => colors.bgRed(colors.white(text)),
    /** The two colours that alternate between the members in a picture of a struct. */
    cells: [
      (text: string) => colors.bgBlue(colors.white(text)),
      (text: string) => colors.bgCyan(colors.black(text)),
    ] as const,
  };
}
