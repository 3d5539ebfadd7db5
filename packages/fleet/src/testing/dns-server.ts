import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv4, type Server, type Socket as TcpSocket } from 'node:net';

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;
/** The size of a response over UDP without an extension. */
const MAX_DATAGRAM = 512;
const SERVER_FAILURE = 2;
const NAME_ERROR = 3;

type RecordType = keyof typeof TYPES;

/** SrvRecord is the data of an SRV record. */
export interface SrvRecord {
  readonly target: string;
  readonly port: number;
}

/** DnsRecords are the records of a name, by type. */
export interface DnsRecords {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly SRV?: readonly SrvRecord[];
  /** The types about which the server says that it fails. */
  readonly fails?: readonly RecordType[];
}

/** DnsServer responds to questions about A, AAAA and SRV records over UDP and TCP (RFC 1035, RFC 2782), for tests. */
export class DnsServer implements AsyncDisposable {
  readonly #records: Readonly<Record<string, DnsRecords>>;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #sockets = new Set<TcpSocket>();
  /** Whether it responds. */
  isSilent = false;
  /** The number of questions over each transport. */
  readonly asked = { udp: 0, tcp: 0 };

  private constructor(records: Readonly<Record<string, DnsRecords>>, udp: Socket, tcp: Server) {
    this.#records = records;
    this.#udp = udp;
    this.#tcp = tcp;
  }

  /** Starts a server on loopback, on one port for both transports. */
  static async start(records: Readonly<Record<string, DnsRecords>>): Promise<DnsServer> {
    for (;;) {
      const tcp = createServer();
      await once(tcp.listen(0, '127.0.0.1'), 'listening');
      const udp = createSocket('udp4');
      const self = new DnsServer(records, udp, tcp);
      try {
        const bound = once(udp, 'listening');
        udp.bind(self.#port, '127.0.0.1');
        await bound;
      } catch {
        // Another socket has that port of UDP.
        tcp.close();
        continue;
      }
      self.#serve();
      return self;
    }
  }

  /** The address, as `setServers` takes it. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get #port(): number {
    const address = this.#tcp.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [once(this.#tcp, 'close'), once(this.#udp, 'close')];
    this.#tcp.close();
    this.#udp.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #serve(): void {
    this.#udp.on('message', (query, { port, address }) => {
      this.asked.udp += 1;
      if (this.isSilent) return;
      const response = this.#respond(query);
      // Too long for a datagram: the header alone, with the flag that says so.
      if (response.length > MAX_DATAGRAM) response.writeUInt16BE(response.readUInt16BE(2) | 0x0200, 2);
      const sent = response.length > MAX_DATAGRAM ? truncated(response, query) : response;
      this.#udp.send(sent, port, address);
    });
    this.#tcp.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
      let received = Buffer.alloc(0);
      socket.on('data', (part) => {
        received = Buffer.concat([received, part]);
        for (;;) {
          const length = received.length < 2 ? Infinity : received.readUInt16BE(0);
          if (received.length < 2 + length) return;
          this.asked.tcp += 1;
          const response = this.#respond(received.subarray(2, 2 + length));
          received = received.subarray(2 + length);
          if (!this.isSilent) socket.write(Buffer.concat([uint16(response.length), response]));
        }
      });
    });
  }

  #respond(query: Buffer): Buffer {
    const { name, type, end } = questionOf(query);
    const records = this.#records[name.toLowerCase()];
    const answers = records === undefined ? [] : dataOf(records, type);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | codeOf(records, type), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    const code = TYPES[type ?? 'A'];
    return Buffer.concat([
      header,
      query.subarray(12, end),
      // Each names the question at byte 12, is of class IN and lives for a second.
      ...answers.map((data) => Buffer.concat([uint16(0xc00c, code, 1, 0, 1, data.length), data])),
    ]);
  }
}

function codeOf(records: DnsRecords | undefined, type: RecordType | undefined): number {
  if (records === undefined) return NAME_ERROR;
  return type !== undefined && records.fails?.includes(type) === true ? SERVER_FAILURE : 0;
}

function truncated(response: Buffer, query: Buffer): Buffer {
  const header = Buffer.from(response.subarray(0, questionOf(query).end));
  header.writeUInt16BE(0, 6);
  return header;
}

function questionOf(query: Buffer): { name: string; type: RecordType | undefined; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const code = query.readUInt16BE(at + 1);
  const type = (['A', 'AAAA', 'SRV'] as const).find((each) => TYPES[each] === code);
  return { name: labels.join('.'), type, end: at + 5 };
}

function dataOf(records: DnsRecords, type: RecordType | undefined): Buffer[] {
  switch (type) {
    case 'A':
      return (records.A ?? []).map((address) => Buffer.from(address.split('.').map(Number)));
    case 'AAAA':
      return (records.AAAA ?? []).map(ipv6Bytes);
    case 'SRV':
      return (records.SRV ?? []).map(({ target, port }) =>
        Buffer.concat([uint16(0, 0, port), nameBytes(target)]),
      );
    case undefined:
      return [];
  }
}

function ipv6Bytes(address: string): Buffer {
  if (isIPv4(address)) throw new Error(`${address} is not IPv6`);
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const zeros = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: zeros }, () => '0'), ...groups(tail)];
  return uint16(...all.map((group) => Number.parseInt(group, 16)));
}

function nameBytes(name: string): Buffer {
  const labels = name
    .split('.')
    .filter((label) => label !== '')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

function uint16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}
