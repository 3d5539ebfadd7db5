// The tools of the machine that tests need, in addition to those of the build (Node, a C++ compiler, python3, make).
// The set-up of `pnpm test` installs them, `needs` skips tests without them, and the summary names the missing ones.
import { execFileSync } from 'node:child_process';
import { accessSync, constants as access, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Each tool by the name that tests give it:
 *
 * - how to find it: a `command` in PATH, a `python` module of Debian's python3, a `library`, `files` in a folder of this
 *   repository, a `path`, or a `probe`;
 * - how to install it: a `debian` package, or a command in `get`;
 * - `atLeast`: the version that a command must have at least, because its output is compared;
 * - `label`: its name in messages, if it differs;
 * - `long`: whether only `pnpm test:long` needs it;
 * - `kernels`: whether only `pnpm test:kernels` needs it;
 * - `image`: whether only `pnpm test:image` needs it.
 */
export const TOOLS = {
  bpftool: { command: 'bpftool', atLeast: [7, 8], label: 'bpftool 7.8', get: 'node scripts/fetch-tools.js' },
  gcc: { command: 'gcc', debian: 'gcc' },
  pahole: { command: 'pahole', atLeast: [1, 32], label: 'pahole 1.32', get: 'node scripts/fetch-tools.js' },
  pfunct: { command: 'pfunct', atLeast: [1, 32], label: 'pfunct 1.32', get: 'node scripts/fetch-tools.js' },
  objcopy: { command: 'objcopy', debian: 'binutils' },
  readelf: { command: 'readelf', debian: 'binutils' },
  xz: { command: 'xz', debian: 'xz-utils' },
  zstd: { command: 'zstd', debian: 'zstd' },
  // Decompresses Debian's kernels, for fetch-kernel-btf.js.
  lz4: { command: 'lz4', debian: 'lz4' },
  'dpkg-deb': { command: 'dpkg-deb', debian: 'dpkg' },
  openssl: { command: 'openssl', debian: 'openssl' },
  setpriv: { command: 'setpriv', debian: 'util-linux' },
  unshare: { command: 'unshare', debian: 'util-linux' },
  setcap: { command: 'setcap', debian: 'libcap2-bin' },
  systemd: { command: 'systemd-socket-activate', debian: 'systemd' },
  tmux: { command: 'tmux', debian: 'tmux' },
  less: { command: 'less', debian: 'less' },
  zsh: { command: 'zsh', debian: 'zsh' },
  fish: { command: 'fish', debian: 'fish' },
  man: { command: 'man', debian: 'man-db' },
  protoc: { command: 'protoc', debian: 'protobuf-compiler' },
  // google/protobuf/duration.proto and others, which protoc needs.
  'libprotobuf-dev': { path: '/usr/include/google/protobuf/duration.proto', debian: 'libprotobuf-dev' },
  grpc_python_plugin: { command: 'grpc_python_plugin', debian: 'protobuf-compiler-grpc' },
  'python3-grpcio': { python: 'grpc', debian: 'python3-grpcio' },
  'python3-protobuf': { python: 'google.protobuf', debian: 'python3-protobuf' },
  'python3-prometheus-client': { python: 'prometheus_client', debian: 'python3-prometheus-client' },
  libbpf: { library: 'libbpf.so.1', debian: 'libbpf1' },
  // For functions that Debian 12's libbpf does not have.
  'libbpf 1.7': { files: '.cache/tools/lib', get: 'node scripts/fetch-tools.js' },
  etcd: { command: 'etcd', debian: 'etcd-server' },
  dnsmasq: { command: 'dnsmasq', debian: 'dnsmasq-base' },
  etcdctl: { command: 'etcdctl', debian: 'etcd-client' },
  // First in the PATH of tests.
  kubectl: {
    path: join(ROOT, '.cache/tools/kubectl'),
    label: 'kubectl 1.32',
    get: 'node scripts/fetch-tools.js',
  },
  prometheus: {
    path: join(ROOT, '.cache/tools/prometheus'),
    label: 'Prometheus 2.53 with promtool',
    get: 'node scripts/fetch-tools.js',
  },
  clang: { command: 'clang', debian: 'clang', long: true },
  'qemu-aarch64': { command: 'qemu-aarch64', debian: 'qemu-user', long: true },
  'aarch64-linux-gnu-g++': { command: 'aarch64-linux-gnu-g++', debian: 'g++-aarch64-linux-gnu', long: true },
  'libstdc++ of arm64': {
    path: '/usr/aarch64-linux-gnu/lib/libstdc++.so.6',
    debian: 'libstdc++6-arm64-cross',
    long: true,
  },
  'qemu-system-x86_64': { command: 'qemu-system-x86_64', debian: 'qemu-system-x86', kernels: true },
  busybox: { command: 'busybox', debian: 'busybox-static', kernels: true },
  cpio: { command: 'cpio', debian: 'cpio', kernels: true },
  depmod: { command: 'depmod', debian: 'kmod', kernels: true },
  tc: { command: 'tc', debian: 'iproute2', kernels: true },
  buildah: { command: 'buildah', debian: 'buildah', image: true },
  runc: { command: 'runc', debian: 'runc', image: true },
  // The profile of system calls that container engines apply.
  'containers-common': {
    path: '/usr/share/containers/seccomp.json',
    debian: 'golang-github-containers-common',
    image: true,
  },
  'debian-machines': {
    files: '.cache/machines',
    label: 'Debian’s kernels in virtual machines',
    get: 'npx --yes pnpm@12 test:kernels',
  },
  'debian-kernels': {
    files: '.cache/kernels',
    label: 'BTF of Debian’s kernels',
    get: 'node scripts/fetch-kernel-btf.js',
  },
  'debian-objects': {
    files: '.cache/objects',
    label: 'BPF objects of Debian’s programs',
    get: 'node scripts/fetch-bpf-objects.js',
  },
  'all-debian-objects': {
    files: '.cache/all-objects',
    label: 'BPF objects of more of Debian’s programs',
    get: 'node scripts/fetch-bpf-objects.js --all',
    long: true,
  },
  'cilium-driver': {
    files: '.cache/cilium',
    label: 'a program with cilium/ebpf',
    get: 'node scripts/fetch-cilium-driver.js',
    long: true,
  },
  'bench-peers': {
    files: '.cache/bench/bin',
    label: 'peers of the benchmark',
    get: 'node packages/bench/peers/build-peers.js',
    long: true,
  },
  vmlinux: {
    path: '/sys/kernel/btf/vmlinux',
    label: 'BTF of the running kernel',
    get: 'run on a kernel with CONFIG_DEBUG_INFO_BTF',
  },
  root: { probe: () => process.geteuid() === 0, get: 'run as root' },
  fuse: { path: '/dev/fuse', get: 'modprobe fuse' },
  bpf: { probe: servesBtfIds, label: 'bpf(2) with CAP_SYS_ADMIN', get: 'run as root on Linux 5.2 or newer' },
  'bpf-token': { probe: makesBpfTokens, label: 'BPF tokens', get: 'run as root on Linux 6.9 or newer' },
};

const found = new Map();

/** has reports whether the machine has a tool. */
export function has(name) {
  const known = found.get(name) ?? find(TOOLS[name]);
  found.set(name, known);
  return known;
}

/** labelOf returns the name of a tool in messages. */
export function labelOf(name) {
  return TOOLS[name].label ?? name;
}

/** debianPackages returns the Debian packages of some tools. */
export function debianPackages(names) {
  return [...new Set(names.flatMap((name) => TOOLS[name].debian ?? []))];
}

/** installCommand returns the command that installs some tools, with Debian’s package names. */
export function installCommand(names) {
  const packages = debianPackages(names);
  const others = names.flatMap((name) => TOOLS[name].get ?? []);
  if (packages.length > 0)
    others.unshift(
      `${process.geteuid() === 0 ? '' : 'sudo '}apt-get install --no-install-recommends ${packages.join(' ')}`,
    );
  return [...new Set(others)].join('; ');
}

function find({ command, atLeast, python, library, path, files, probe }) {
  if (atLeast !== undefined) return isCommand(command) && isAtLeast(versionOf(command), atLeast);
  if (command !== undefined) return isCommand(command);
  if (python !== undefined) return runs('/usr/bin/python3', ['-c', `import ${python}`]);
  if (library !== undefined) return runs('sh', ['-c', `/sbin/ldconfig -p | grep -qF '${library} '`]);
  if (files !== undefined) return existsSync(join(ROOT, files)) && readdirSync(join(ROOT, files)).length > 0;
  if (path !== undefined) return existsSync(path);
  return probe();
}

/** isCommand reports whether PATH has a command. */
export function isCommand(command) {
  return process.env.PATH.split(':').some((dir) => {
    try {
      accessSync(join(dir, command), access.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Returns the version that a command prints: `bpftool v7.8.0`, `v1.32`. */
function versionOf(command) {
  try {
    const output = execFileSync(command, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return (/v(\d+)[.](\d+)/.exec(output) ?? []).slice(1).map(Number);
  } catch {
    return [];
  }
}

function isAtLeast([major = 0, minor = 0], [leastMajor, leastMinor]) {
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function runs(command, args) {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether the kernel serves BTF ids. `/proc` cannot say, because in a user namespace it shows all capabilities. */
function servesBtfIds() {
  try {
    // An id, or an errno as a negative number: ENOENT if there is no object yet.
    const result = addon().btfGetNextId(0);
    return result > 0 || result === -constants.errno.ENOENT;
  } catch {
    return false;
  }
}

/** Whether root can make a user namespace with a BPF token. A kernel without tokens does not look at the file descriptor. */
function makesBpfTokens() {
  try {
    return servesBtfIds() && addon().tokenCreate(2 ** 31 - 1) === -constants.errno.EBADF;
  } catch {
    return false;
  }
}

function addon() {
  return createRequire(import.meta.url)('../native/build/Release/btfd_native.node');
}
