// Runs the tests: `pnpm test [--no-install] [JEST ARGUMENT…]`. With --long it runs the tests of `pnpm test:long`.
//
// As root on Debian it first installs the tools in tools.js that the machine lacks, and fetches bpftool, pahole, the BTF of
// Debian's kernels, and programs of Debian with BPF objects. For --long it also builds the peers of the benchmark and a
// program with cilium/ebpf. With --no-install it does none of this. On other machines it skips tests whose tool is missing,
// and names the tools in a summary at the end. With BTFD_REQUIRE_TOOLS=1 a missing tool is a failure instead.
//
// --node=24.9.0 runs the tests, and the programs in them, with that version of Node, from npm.
import { JEST, canInstall, extendPath, install, run, tryTo } from './set-up.js';
import { nodeVersion } from './node-version.js';
import { TOOLS, has } from './tools.js';

const flags = process.argv.slice(2);
const isLong = flags.includes('--long');
const isOwn = (arg) => arg === '--long' || arg === '--no-install' || arg.startsWith('--node=');
const jestArgs = flags.filter((arg) => !isOwn(arg));
const version = flags.find((arg) => arg.startsWith('--node='))?.slice('--node='.length);

extendPath();

if (!flags.includes('--no-install') && canInstall()) setUp();
run('pnpm', ['--silent', 'build']);
const { program, env } = nodeVersion(version);
run(program, [...JEST, ...(isLong ? ['--config', 'jest.long.config.js'] : []), ...jestArgs], env);

function setUp() {
  const isNeeded = ({ long, kernels, image }) => !kernels && !image && (isLong || !long);
  install(Object.keys(TOOLS).filter((name) => isNeeded(TOOLS[name]) && !has(name)));
  // The scripts print what they fetch, and skip files that exist.
  tryTo(process.execPath, ['scripts/fetch-tools.js']);
  tryTo(process.execPath, ['scripts/fetch-kernel-btf.js']);
  tryTo(process.execPath, ['scripts/fetch-bpf-objects.js']);
  if (!isLong) return;
  tryTo(process.execPath, ['scripts/fetch-kernel-btf.js', '--all']);
  tryTo(process.execPath, ['scripts/fetch-bpf-objects.js', '--all']);
  tryTo(process.execPath, ['scripts/fetch-cilium-driver.js']);
  tryTo(process.execPath, ['packages/bench/peers/build-peers.js']);
}
