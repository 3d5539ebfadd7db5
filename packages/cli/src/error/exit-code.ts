/** ExitCode has the exit codes of btfctl. Scripts rely on them: a number never changes its meaning. */
export const ExitCode = {
  OK: 0,
  FAILURE: 1,
  USAGE: 2,
  NOT_FOUND: 3,
  REFUSED: 4,
  DIFFERENT: 5,
  UNREACHABLE: 6,
  DENIED: 7,
  INCOMPATIBLE: 8,
  INCOMPLETE: 9,
  NOT_EXECUTABLE: 126,
  NO_COMMAND: 127,
  HUNG_UP: 129,
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;

/** ExitCodeName is the name of an {@link ExitCode}. */
export type ExitCodeName = keyof typeof ExitCode;

/** EXIT_MEANINGS describes each exit code. The documentation has the same texts. */
export const EXIT_MEANINGS = {
  OK: 'Success.',
  FAILURE: 'Any failure without a code of its own.',
  USAGE: 'The arguments or the config file are invalid.',
  NOT_FOUND: 'There is no such object, type, member, file or context, or the name of a type is ambiguous.',
  REFUSED: 'The kernel refuses the BTF.',
  DIFFERENT: '`diff` found differences.',
  UNREACHABLE: 'The daemon cannot be reached, or does not respond in time.',
  DENIED: 'The daemon lacks a capability, or you lack a role, a certificate or access to its socket.',
  INCOMPATIBLE: '`compat`: an object does not fit a kernel.',
  INCOMPLETE: '`fleet`: some nodes gave no answer.',
  NOT_EXECUTABLE: '`hold`: the command exists but cannot be run.',
  NO_COMMAND: '`hold`: there is no such command.',
  HUNG_UP: 'Ended by SIGHUP, for example because the terminal was closed.',
  INTERRUPTED: 'Ended by Ctrl-C (SIGINT).',
  TERMINATED: 'Ended by SIGTERM.',
} as const satisfies Record<ExitCodeName, string>;
