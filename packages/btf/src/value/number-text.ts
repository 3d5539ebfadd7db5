/** fixedText returns a floating point number as C's `%f` prints it, with six decimals. */
export function fixedText(value: number): string {
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 'nan';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (size === Infinity) return `${sign}inf`;
  // toFixed does not print larger numbers in full. They are integers.
  if (size >= 1e21) return `${sign}${BigInt(size)}.000000`;
  // Of two numbers that are equally near, toFixed returns the larger one, and C the even one. Only odd multiples of 1/128
  // have seven decimals that end in 5.
  const parts = size * 128;
  const isTie = Number.isInteger(parts) && parts % 2 === 1;
  const exact = size.toFixed(7);
  const isEven = Number(exact.at(-2)) % 2 === 0;
  return sign + (isTie && isEven ? exact.slice(0, -1) : size.toFixed(6));
}

/** hexText returns an integer as C's `0x%llx` prints it. */
export function hexText(value: bigint): string {
  return `0x${value.toString(16)}`;
}
