// Fetches and builds the peers with which the benchmark compares:
//
//     node packages/bench/peers/build-peers.js            builds them, unless that is done (67 MB of packages)
//     node packages/bench/peers/build-peers.js --update   pins the newest package of each suite, and builds nothing
//
// It unpacks the packages in peer-packages.json, after a check of their SHA-256, and installs nothing. It writes:
//
//     .cache/bench/bin            libbpf-driver, libbpf-objects, cilium-driver, go-service, go-caller: static programs
//     .cache/bench/versions.json  the versions of their libraries
//     .cache/bench/built.json     what they were built from, so that a second run has nothing to do
//     .cache/bench/root           the packages: Go, its libraries as source, libbpf
//     .cache/bench/gopath         the peers' sources and the generated contract
//     .cache/bench/go-cache       Go's cache of compiled packages
//
// Needs apt-get and dpkg-deb of Debian on x86-64, and gcc.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, inWork, replaceFolder } from '../../../scripts/cache-folders.js';
import { pinNewest, unpackPackages } from '../../../scripts/pinned-packages.js';

const PEERS = fileURLToPath(new URL('.', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const PACKAGES = join(PEERS, 'peer-packages.json');
const UPDATE = 'node packages/bench/peers/build-peers.js --update';

const BENCH = join(CACHE, 'bench');
const ROOT = join(BENCH, 'root');
const GOPATH = join(BENCH, 'gopath');
const LIBRARIES = join(ROOT, 'usr/lib/x86_64-linux-gnu');
const GO_PROGRAMS = ['cilium-driver', 'go-service', 'go-caller'];
/** The programs in C, with the functions of libbpf that they replace. */
const C_PROGRAMS = {
  'libbpf-driver': [],
  'libbpf-objects': ['btf__parse', 'btf__load_vmlinux_btf', 'btf__free', 'syscall'],
};
const PROGRAMS = [...Object.keys(C_PROGRAMS), ...GO_PROGRAMS];

/** The packages whose versions are those of the peers. */
const PEER_VERSIONS = {
  libbpf: /^libbpf-dev$/,
  'cilium/ebpf': /^golang-github-cilium-ebpf-dev$/,
  'grpc-go': /^golang-google-grpc-dev$/,
  go: /^golang-[\d.]+-go$/,
};

const [mode] = process.argv.slice(2);
if (mode === '--update') pinNewest(PACKAGES);
else if (mode === undefined) build();
else throw new Error(`invalid argument ${mode}: use --update or nothing`);

function build() {
  const inputs = hashInputs();
  const built = join(BENCH, 'built.json');
  const known = existsSync(built) && readFileSync(built, 'utf8') === inputs;
  if (known && PROGRAMS.every((name) => existsSync(join(BENCH, 'bin', name)))) return;
  refuseUnsuitableMachine();
  const versions = unpack();
  mkdirSync(join(BENCH, 'bin'), { recursive: true });
  for (const [name, replaced] of Object.entries(C_PROGRAMS)) {
    console.log(`Building ${name}`);
    buildInC(name, replaced);
  }
  console.log('Building Go’s peers: the first time takes minutes');
  buildInGo();
  writeFileSync(join(BENCH, 'versions.json'), `${JSON.stringify(versions, null, 2)}\n`);
  writeFileSync(built, inputs);
}

/** Returns the hashes of everything from which the peers are built, as JSON. */
function hashInputs() {
  const folders = [PEERS, join(REPOSITORY, 'proto/btf')];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  const hashes = files.map((file) => [
    relative(REPOSITORY, file),
    createHash('sha256').update(readFileSync(file)).digest('hex'),
  ]);
  return `${JSON.stringify(Object.fromEntries(hashes), null, 2)}\n`;
}

/** @throws Error that names everything that the machine lacks. */
function refuseUnsuitableMachine() {
  const lacks = [
    ['apt-get', 'apt-get of Debian'],
    ['dpkg-deb', 'dpkg-deb (package dpkg)'],
    ['gcc', 'gcc'],
  ].flatMap(([command, label]) => (isCommand(command) ? [] : [label]));
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    lacks.unshift(`Linux on x86-64 (this is ${process.platform} on ${process.arch})`);
  }
  if (lacks.length > 0) throw new Error(`cannot build the peers. This machine lacks: ${lacks.join(', ')}`);
}

function isCommand(command) {
  return process.env.PATH.split(delimiter).some((folder) => existsSync(join(folder, command)));
}

/** Unpacks the packages, unless that is done. Returns the versions of the peers. */
function unpack() {
  const text = readFileSync(PACKAGES, 'utf8');
  const { packages } = JSON.parse(text);
  const file = join(ROOT, 'unpacked.json');
  const unpacked = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  if (unpacked.pins === text) return peerVersions(unpacked.versions);
  console.log('Fetching Go, its libraries and libbpf of a newer Debian suite: 67 MB');
  let versions = {};
  inWork((work) => {
    const root = join(work, 'root');
    versions = unpackPackages(packages, { work, root, update: UPDATE });
    writeFileSync(join(root, 'unpacked.json'), JSON.stringify({ pins: text, versions }));
    replaceFolder(root, ROOT);
  });
  return peerVersions(versions);
}

/** Returns the versions of the peers as upstream has them: 1.7.0 for `1:1.7.0-1`, 0.22.0 for `0.22.0+ds1-1`. */
function peerVersions(versions) {
  const names = Object.keys(versions);
  return Object.fromEntries(
    Object.entries(PEER_VERSIONS).map(([peer, pattern]) => {
      const version = versions[names.find((name) => pattern.test(name))];
      return [peer, /^(?:\d+:)?([\d.]+)/.exec(version)[1]];
    }),
  );
}

/** Builds a static program, because libbpf needs a newer C library than Debian 12 has. */
function buildInC(program, replaced) {
  const source = join(PEERS, `c/${program}.c`);
  const libraries = ['bpf', 'elf', 'z', 'zstd'].map((name) => `-l${name}`);
  const headers = ['usr/include/x86_64-linux-gnu', 'usr/include'].flatMap((folder) => [
    '-isystem',
    join(ROOT, folder),
  ]);
  const flags = ['-std=gnu17', '-O2', '-Wall', '-Wextra', '-Werror', '-static', ...headers];
  // The startup files and archives of the packages come before those of the machine.
  const libraryFolders = [`-B${LIBRARIES}/`, `-L${LIBRARIES}`];
  const wrappers = replaced.map((symbol) => `-Wl,--wrap=${symbol}`);
  const output = ['-o', join(BENCH, 'bin', program)];
  run('gcc', [...flags, source, ...libraryFolders, ...wrappers, ...output, ...libraries]);
}

/** Builds in GOPATH mode, as Debian does: its packages are source trees without modules. */
function buildInGo() {
  // A file of an earlier build that is gone from the sources must not be compiled.
  inWork((work) => {
    cpSync(join(PEERS, 'go'), join(work, 'gopath/src/btfd'), { recursive: true });
    replaceFolder(join(work, 'gopath'), GOPATH);
  });
  const plugins = join(BENCH, 'plugins');
  go(['build', '-o', `${plugins}/`, 'google.golang.org/protobuf/cmd/protoc-gen-go']);
  go(['build', '-o', `${plugins}/`, 'google.golang.org/grpc/cmd/protoc-gen-go-grpc']);
  generateContract(plugins);
  go(['build', '-o', `${join(BENCH, 'bin')}/`, ...GO_PROGRAMS.map((name) => `btfd/${name}`)]);
}

/** Generates the contract in Go, into the folder of its `go_package`. */
function generateContract(plugins) {
  const plugin = (name) => ({ local: join(plugins, name), out: join(GOPATH, 'src') });
  const template = { version: 'v2', plugins: [plugin('protoc-gen-go'), plugin('protoc-gen-go-grpc')] };
  const buf = join(REPOSITORY, 'node_modules/.bin/buf');
  run(buf, ['generate', '--template', JSON.stringify(template), '--path', 'proto/btf'], { cwd: REPOSITORY });
}

function go(args) {
  const goRoot = join(
    ROOT,
    'usr/lib',
    readdirSync(join(ROOT, 'usr/lib')).find((name) => name.startsWith('go-')),
  );
  const env = {
    ...process.env,
    GOROOT: goRoot,
    GOPATH: [GOPATH, join(ROOT, 'usr/share/gocode')].join(delimiter),
    GOCACHE: join(BENCH, 'go-cache'),
    GOENV: 'off',
    GOFLAGS: '',
    GOPROXY: 'off',
    GOTOOLCHAIN: 'local',
    GO111MODULE: 'off',
    CGO_ENABLED: '0',
  };
  run(join(goRoot, 'bin/go'), args, { env });
}

function run(command, args, options = {}) {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
}
