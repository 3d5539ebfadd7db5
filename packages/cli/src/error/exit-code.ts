/** ExitCode is how a command ended. Scripts rely on these numbers: they are never given another meaning. */
export const ExitCode = {
  OK: 0,
  FAILURE: 1,
  USAGE: 2,
  NOT_FOUND: 3,
  REFUSED: 4,
  DIFFERENT: 5,
  UNREACHABLE: 6,
  DENIED: 7,
  NOT_EXECUTABLE: 126,
  NO_COMMAND: 127,
  HUNG_UP: 129,
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;

/** ExitCodeName is the name of an {@link ExitCode}. */
export type ExitCodeName = keyof typeof ExitCode;

/** EXIT_MEANINGS says what each exit code means, in the words of the documentation. */
export const EXIT_MEANINGS = {
  OK: 'Done.',
  FAILURE: 'Anything that has no code of its own.',
  USAGE: 'The arguments, or the config file, make no sense.',
  NOT_FOUND: 'There is no such object, type, member, file or context.',
  REFUSED: "The kernel's verifier refuses the BTF.",
  DIFFERENT: '`diff` found differences.',
  UNREACHABLE: 'No daemon answers, or not in time.',
  DENIED: 'The daemon may not do it for lack of a capability, or you may not ask for it.',
  NOT_EXECUTABLE: '`hold`: the command is there but cannot be run.',
  NO_COMMAND: '`hold`: there is no such command.',
  HUNG_UP: 'Ended by SIGHUP, as when the terminal is closed.',
  INTERRUPTED: 'Ended by Ctrl-C (SIGINT).',
  TERMINATED: 'Ended by SIGTERM.',
} as const satisfies Record<ExitCodeName, string>;
