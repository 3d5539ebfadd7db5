import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BtfClient } from '@btfd/client';
import { handleFd } from '@btfd/client/fd';
import { requestFd } from '@btfd/native';
import { needs } from 'test-tools';
import { callAs } from './testing/caller-process.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const DOCUMENT = readFileSync(new URL('../../../docs/fd.md', import.meta.url), 'utf8');
/** Ids that no user of the machine has. */
const GROUP = 54_401;
const LOADER = 61_401;
const VIEWER = 61_402;

/** Returns the block of code in the document that has a language. */
function shown(language: string): string {
  const block = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(DOCUMENT)?.[1];
  if (block === undefined) throw new Error(`no ${language} in the document`);
  return block;
}

/** Prints the BTF id of the received file descriptor, or the reply, and stays until its standard input ends. */
const PYTHON = `${shown('python')}
import os, sys
try:
    fd = receive_fd(sys.argv[1], sys.argv[2])
    id = open(f"/proc/self/fdinfo/{fd}").read().split("btf_id:")[1].split()[0]
    print(f"{fd} {id}", flush=True)
except OSError as error:
    print(error, flush=True)
sys.stdin.read()
`;

const C = `#include <fcntl.h>
#include <stdio.h>
${shown('c')}
int main(int count, char **words) {
  char reply[4096], line[300];
  snprintf(line, sizeof(line), "%s\\n", words[2]);
  if (count > 3) close(0);
  int fd = receive_fd(words[1], line, reply);
  printf("%d %d %s", fd > 0, fcntl(fd, F_GETFD), reply);
}`;

/** Asks for a file descriptor on many connections, and receives none until its standard input ends. Prints the number. */
const NEVER_RECEIVES = `import socket, sys
sockets = []
for count in range(int(sys.argv[3])):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    s.sendall(sys.argv[2].encode() + b"\\n")
    sockets.append(s)
print(len(sockets), flush=True)
sys.stdin.read()
`;

needs('bpf', 'root').describe('--fd-socket', () => {
  let dir: string;
  let path: string;
  let daemon: DaemonProcess;
  let client: RawClient;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfd-fd-'));
    chmodSync(dir, 0o755);
    path = join(dir, 'fd.sock');
    const flags = ['--socket-group', String(GROUP), '--loader', `uid:${LOADER}`, '--fd-socket', path];
    daemon = await DaemonProcess.start({ args: flags });
    client = new RawClient(daemon.address);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  /** Loads BTF. Returns its token and id. */
  async function load(): Promise<{ readonly token: string; readonly id: number }> {
    const { result } = await client.call('loadHandle', {
      source: { case: 'rawBtf', value: intBtf(1, 'fd') },
    });
    if (result.case !== 'handle') throw new Error('rejected');
    return { token: result.value.token, id: result.value.info?.id ?? 0 };
  }

  /** Starts the receiver in Python, as a user or as root. */
  async function receive(token: string, uid = 0, socket = path) {
    const words = ['/usr/bin/python3', '-c', PYTHON, socket, token];
    const as = uid === 0 ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${GROUP}`, '--clear-groups'];
    const [command = '', ...args] = [...as, ...words];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [printed] = await once(child.stdout, 'data');
    return { child, printed: String(printed).trim(), [Symbol.dispose]: () => void child.kill('SIGKILL') };
  }

  test('has the group and the mode of the main socket', () => {
    const { gid, mode } = statSync(path);
    expect([gid, (mode & 0o777).toString(8)]).toEqual([GROUP, '660']);
  });

  test('gives the owner of a handle a file descriptor that outlives the handle', async () => {
    const { token, id } = await load();
    using received = await receive(token);
    // The whole line, so that a failure shows the reply.
    expect(received.printed).toMatch(new RegExp(`^\\d+ ${id}$`));
    const [fd] = received.printed.split(' ');
    await client.call('closeHandles', { tokens: [token] });
    const info = `/proc/${received.child.pid}/fdinfo/${fd}`;
    expect(readFileSync(info, 'utf8')).toContain(`btf_id:\t${id}\n`);
    await until('it is audited', () => daemon.log.text.includes('"action":"fd"'));
    const audit = daemon.log.text.split('\n').findLast((line) => line.includes('"action":"fd"')) ?? '';
    expect(JSON.parse(audit)).toMatchObject({
      outcome: 'granted',
      principal: 'uid:0',
      pid: received.child.pid,
      btfId: id,
    });
    expect(daemon.log.text).not.toContain(token);
  });

  test('serves handleFd of the client, and its error says why not', async () => {
    await using other = new BtfClient(daemon.address);
    const handle = await other.loadHandle(intBtf(1, 'fd'));
    {
      using btf = await handleFd(handle, path);
      expect(btf.fd).toBeGreaterThan(0);
      await handle.close();
      expect(btf.info()).toMatchObject({ id: handle.info.id, kernelBtf: false });
    }
    const { token } = await load();
    using byToken = await handleFd(token, path);
    expect(byToken.fd).toBeGreaterThan(0);
    await client.call('closeHandles', { tokens: [token] });
    await expect(handleFd(token, path)).rejects.toMatchObject({
      reason: 'HANDLE_NOT_FOUND',
      codeName: 'NOT_FOUND',
    });
  });

  test('refuses the handle of another, an unknown handle, and a caller that is not a loader', async () => {
    const { token } = await load();
    using loader = await receive(token, LOADER);
    expect(loader.printed).toMatch(/^error HANDLE_NOT_FOUND /);
    using unknown = await receive(`${token.slice(0, -4)}AAAA`);
    expect(unknown.printed).toMatch(/^error HANDLE_NOT_FOUND /);
    using viewer = await receive(token, VIEWER);
    expect(viewer.printed).toMatch(/^error ROLE_FORBIDS uid:61402 has the role viewer/);
    await until('it is audited', () => daemon.log.text.includes('"reason":"ROLE_FORBIDS"'));
  });

  needs('gcc').test('serves the receiver in C, also where 0 is free', async () => {
    const { token } = await load();
    const program = join(dir, 'receiver');
    writeFileSync(`${program}.c`, C);
    execFileSync('gcc', ['-Wall', '-Werror', '-o', program, `${program}.c`]);
    const run = (...args: string[]) => execFileSync(program, [path, ...args], { encoding: 'utf8' });
    // 1: FD_CLOEXEC.
    expect(run(token)).toBe('1 1 ok\n');
    expect(run(token, 'close 0')).toBe('1 1 ok\n');
    expect(run('x')).toMatch(/^0 -1 error HANDLE_NOT_FOUND /);
  });

  test.each([
    ['more than 256 bytes', 'x'.repeat(300)],
    ['two lines', 'x\ny\n'],
  ])('refuses %s', async (_, request) => {
    const { text } = await requestFd(path, request);
    expect(text).toMatch(/^error INVALID_REQUEST token: must be followed by a newline/);
  });

  test('closes a connection without a request', async () => {
    // Sockets by their inodes. Those of the tests before may close meanwhile.
    const before = new Set(daemon.fds());
    const sockets: Socket[] = ['', 'half'].map((text) => {
      const socket = connect(path)
        .on('error', () => {})
        .pause();
      socket.write(text);
      return socket;
    });
    // Both read the end of their connection only after the daemon has closed it.
    await setTimeout(1_500);
    await Promise.all(sockets.map(async (socket) => once(socket.resume(), 'close')));
    await until('they are closed', () => daemon.fds().every((target) => before.has(target)));
  });

  test('counts connections whose peers never receive for their user, and serves others', async () => {
    const limited = join(dir, 'limited.sock');
    // A quarter for each principal.
    const flags = ['--max-connections', '16', '--socket-group', String(GROUP), '--loader', `uid:${LOADER}`];
    await using few = await DaemonProcess.start({ args: [...flags, '--fd-socket', limited] });
    using owner = new RawClient(few.address);
    const source = { case: 'rawBtf', value: intBtf(1, 'fd') } as const;
    const { result } = await owner.call('loadHandle', { source });
    const token = result.case === 'handle' ? result.value.token : '';
    const peers = Array.from({ length: 3 }, () => {
      // Paused before it is connected, it receives nothing. It ends its side, so that it does not differ from one that left.
      const peer = connect({ path: limited, allowHalfOpen: true }).pause();
      peer.end(`${token}\n`);
      return peer;
    });
    const granted = () => few.log.text.split('"action":"fd"').length - 1;
    await until('all are served', () => granted() === peers.length);
    // Longer than a connection without a request stays open.
    await setTimeout(1_500);
    expect((await requestFd(limited, `${token}\n`)).text).toMatch(/^error QUOTA_EXCEEDED /);
    using other = await receive(token, LOADER, limited);
    expect(other.printed).toMatch(/^error HANDLE_NOT_FOUND /);
    for (const peer of peers) peer.destroy();
    await until('they count no more', async () => {
      const { text, fd } = await requestFd(limited, `${token}\n`);
      fd?.close();
      return text === 'ok\n';
    });
  });

  test('serves a thousand connections at once, or refuses them, and keeps none', async () => {
    const { token } = await load();
    const before = { files: daemon.fds().length, btf: daemon.btfFds() };
    // Node reads the text alone, and the kernel closes the file descriptor.
    const replies = await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const socket = connect(path).setEncoding('utf8');
        let reply = '';
        socket.on('data', (text: string) => (reply += text));
        socket.on('error', (error) => (reply += String(error)));
        socket.write(`${token}\n`);
        await new Promise((resolve) => socket.once('close', resolve));
        // The daemon closes connections beyond its bound, and the kernel refuses those that are not accepted soon enough.
        return /^error QUOTA_EXCEEDED .*\n$|EPIPE|ECONNRESET|connect EAGAIN|^$/.test(reply)
          ? 'refused'
          : reply;
      }),
    );
    // How many are served depends on how soon the daemon accepts them, and this process receives.
    expect(replies.filter((reply) => !['ok\n', 'refused'].includes(reply))).toEqual([]);
    await until('all are closed', () => daemon.fds().length <= before.files);
    expect(daemon.btfFds()).toBe(before.btf);
    const { text, fd } = await requestFd(path, `${token}\n`);
    fd?.close();
    expect(text).toBe('ok\n');
  });

  test('survives peers that are killed', async () => {
    const { token } = await load();
    const before = daemon.fds().length;
    for (let count = 0; count < 5; count += 1) {
      const program = `import socket,os,signal
s=socket.socket(socket.AF_UNIX);s.connect("${path}");s.sendall(b"${token}\\n");os.kill(os.getpid(),signal.SIGKILL)`;
      const child = spawn('/usr/bin/python3', ['-c', program], { stdio: 'ignore' });
      await once(child, 'exit');
    }
    await until('their connections are closed', () => daemon.fds().length <= before);
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
  });
});

/** Files that the daemon may open. The kernel lets as many file descriptors of its user wait for their receivers. */
const FILES = 60;

needs('bpf', 'root', 'setpriv').describe('--fd-socket of a daemon without CAP_SYS_ADMIN', () => {
  test('serves one principal while the peers of another never receive', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-fd-few-'));
    chownSync(dir, LOADER, GROUP);
    chmodSync(dir, 0o755);
    const path = join(dir, 'fd.sock');
    const user = ['setpriv', `--reuid=${LOADER}`, `--regid=${GROUP}`, '--clear-groups'];
    const rights = ['--inh-caps=-all,+bpf', '--ambient-caps=-all,+bpf', '--bounding-set=-all,+bpf'];
    try {
      await using daemon = await DaemonProcess.start({
        // With CAP_SYS_ADMIN or CAP_SYS_RESOURCE the kernel would not limit them.
        wrapper: [...user, ...rights],
        socket: join(dir, 'btfd.sock'),
        args: ['--fd-socket', path, '--max-connections', '40', '--loader', `uid:${VIEWER}`],
      });
      const request = { rawBtf: Buffer.from(intBtf(1, 'fd')).toString('base64'), ttl: '600s' };
      const tokenOf = async (uid: number): Promise<string> => {
        const [outcome] = await callAs(daemon.address, { uid, gid: GROUP, groups: [] }, [
          ['loadHandle', request],
        ]);
        const token = /"token":"([^"]+)"/.exec(JSON.stringify(outcome))?.[1];
        if (token === undefined) throw new Error(JSON.stringify(outcome));
        return token;
      };
      const tokens = [await tokenOf(LOADER), await tokenOf(VIEWER)];
      // Only now, because Node opens most modules of the daemon and of its workers at the same time.
      const limit = ['prlimit', '--pid', String(daemon.pid), `--nofile=${FILES}:${FILES}`];
      execFileSync('setpriv', [...user.slice(1), ...limit]);
      const run = async (uid: number, program: string, args: readonly string[]) => {
        const as = [`--reuid=${uid}`, `--regid=${GROUP}`, '--clear-groups'];
        const words = [...as, '/usr/bin/python3', '-c', program, path, ...args];
        const child = spawn('setpriv', words, { stdio: ['pipe', 'pipe', 'inherit'] });
        const [printed] = await once(child.stdout, 'data');
        return { printed: String(printed).trim(), child };
      };
      // More than the kernel would let wait, in rounds: each is longer than a connection without a reply may last.
      const silent = [];
      for (let round = 0; round < 8; round += 1) {
        silent.push(await run(LOADER, NEVER_RECEIVES, [tokens[0] ?? '', '40']));
        await setTimeout(1_200);
      }
      const { printed, child } = await run(VIEWER, PYTHON, [tokens[1] ?? '']);
      child.kill('SIGKILL');
      expect(printed).toMatch(/^\d+ \d+$/);
      expect(daemon.log.text).toContain('"reason":"QUOTA_EXCEEDED"');
      expect(daemon.log.text).not.toContain('ETOOMANYREFS');
      for (const each of silent) each.child.kill('SIGKILL');
      // The kernel has freed what the peers held.
      await until('the first principal is served again', async () => {
        const again = await run(LOADER, PYTHON, [tokens[0] ?? '']);
        again.child.kill('SIGKILL');
        return /^\d+ \d+$/.test(again.printed);
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
