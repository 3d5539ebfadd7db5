/** print writes the output of a command that ends. */
export function print(text: string): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    // The reader, such as `head`, has closed the pipe.
    if (error.code === 'EPIPE') return;
    process.stderr.write(`error: cannot write: ${error.message}\n`);
    process.exitCode = 1;
  });
  process.stdout.write(text);
}
