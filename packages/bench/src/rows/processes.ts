import type { Lab } from '../peers/lab.js';
import { programPath, type ProgramName } from '../peers/programs.js';
import { timeProgram } from '../peers/time-program.js';
import type { OpenProbe, Row } from '../run/row.js';

/** Runs of a program in one round. */
const RUNS = { full: 10, quick: 4 };

/** Returns the arguments of a command. */
type ArgsOf = (lab: Lab) => Promise<readonly string[]>;

/** Returns a probe of a program. Each round starts it with empty caches, which is the cold run, and then again. */
function program(commandOf: ArgsOf): OpenProbe {
  return async (lab) => {
    const command = await commandOf(lab);
    const cwd = lab.packed().folder;
    return {
      async measure() {
        const env = { PATH: process.env['PATH'], HOME: cwd, XDG_CACHE_HOME: lab.newFile('cache') };
        const cold = await timeProgram(command, { cwd, env, runs: 1 });
        const warm = await timeProgram(command, { cwd, env, runs: lab.quick ? RUNS.quick : RUNS.full });
        return { costs: { ...warm, coldCpuUs: cold.cpuUs, coldWallUs: cold.wallUs } };
      },
    };
  };
}

/** Returns a probe of `btfctl` as npm installs it. */
function btfctl(argsOf: ArgsOf): OpenProbe {
  return program(async (lab) => [
    process.execPath,
    ...lab.nodeArgs,
    lab.packed().btfctl,
    ...(await argsOf(lab)),
  ]);
}

/** Returns a probe of a script in the project with the packages. */
function script(text: string): OpenProbe {
  return program(async (lab) => [process.execPath, ...lab.nodeArgs, '--input-type=module', '--eval', text]);
}

function tool(name: ProgramName, argsOf: ArgsOf): OpenProbe {
  return program(async (lab) => [programPath(name), ...(await argsOf(lab))]);
}

const EMPTY_NODE = script('0');

/** PROCESS_ROWS compare the packed programs with tools, and with Node that does nothing. */
export const PROCESS_ROWS: readonly Row[] = [
  {
    name: 'process/version',
    title: '`btfctl version`',
    subjects: { btfd: btfctl(async () => ['version']), node: EMPTY_NODE },
    guards: [{ metric: 'cpuUs', peer: 'node' }],
  },
  {
    name: 'process/list',
    title: '`btfctl list`',
    subjects: {
      btfd: btfctl(async (lab) => ['--address', (await lab.daemon()).address, 'list']),
      node: EMPTY_NODE,
      bpftool: tool('bpftool', async () => ['btf', 'list']),
    },
    goals: [{ metric: 'cpuUs', peer: 'node', atMost: 1.6 }],
    guards: [{ metric: 'cpuUs', peer: 'node' }],
  },
  {
    name: 'process/header',
    title: '`btfctl header FILE`',
    subjects: {
      btfd: btfctl(async (lab) => ['header', `file:${lab.vmlinux()}`]),
      bpftool: tool('bpftool', async (lab) => ['btf', 'dump', 'file', lab.vmlinux(), 'format', 'c']),
      node: EMPTY_NODE,
    },
    goals: [{ metric: 'cpuUs', peer: 'bpftool', atMost: 2 }],
    guards: [{ metric: 'cpuUs', peer: 'bpftool' }],
  },
  {
    name: 'process/header-of-daemon',
    title: '`btfctl header`, from a daemon',
    subjects: {
      btfd: btfctl(async (lab) => ['--address', (await lab.daemon()).address, 'header']),
      bpftool: tool('bpftool', async (lab) => ['btf', 'dump', 'file', lab.vmlinux(), 'format', 'c']),
      node: EMPTY_NODE,
    },
    goals: [{ metric: 'cpuUs', peer: 'bpftool', atMost: 2 }],
  },
  {
    name: 'process/layout',
    title: '`btfctl layout task_struct --in FILE`',
    subjects: {
      btfd: btfctl(async (lab) => ['layout', 'task_struct', '--in', `file:${lab.vmlinux()}`]),
      pahole: tool('pahole', async (lab) => ['-F', 'btf', '-C', 'task_struct', lab.vmlinux()]),
      node: EMPTY_NODE,
    },
    goals: [{ metric: 'cpuUs', peer: 'pahole', atMost: 2 }],
    guards: [{ metric: 'cpuUs', peer: 'pahole' }],
  },
  {
    name: 'process/import-client',
    title: "`import('@btfd/client')`, over Node alone",
    subjects: {
      btfd: script("await import('@btfd/client')"),
      'grpc-js': script("await import('@grpc/grpc-js')"),
      node: EMPTY_NODE,
    },
    over: 'node',
    goals: [{ metric: 'cpuUs', peer: 'grpc-js', atMost: 2 }],
    guards: [{ metric: 'cpuUs', peer: 'grpc-js' }],
  },
];
