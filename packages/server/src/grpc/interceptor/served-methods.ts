import { BtfService } from '@btfd/api';
import type { ServerInterceptor } from '@grpc/grpc-js';
import type { Role } from '../../auth/policy.js';
import type { Limits } from '../../config/limits.js';
import { roleForPath } from '../method-roles.js';
import type { Call } from './call.js';
import { methodOf } from './call-names.js';
import type { CallInfo } from './call-observer.js';
import { isUnknown } from './unknown-methods.js';

/** MethodDefinition is a method as grpc-js passes it to an interceptor. */
export type MethodDefinition = Parameters<ServerInterceptor>[0];

/** CallServer serves a call with one request: it sends the responses and the status. */
export type CallServer = (call: Call, request: Uint8Array) => void;

/** ServedMethod is what the calls of a method have in common. */
export interface ServedMethod extends Pick<CallInfo, 'service' | 'method' | 'unknownPath'> {
  /** The role that it needs; null for none. Every known caller may learn that a method is not served. */
  readonly needed: Role | null;
  /** How much of an encoded request is received. */
  readonly receiveBytes: number;
  readonly isLoad: boolean;
  /** Whether its request has a BPF object. */
  readonly isCheck: boolean;
  readonly requestStream: boolean;
  /** Whether its calls may send or receive several messages. */
  readonly isStream: boolean;
  /** Serves its calls without grpc-js, which makes a stream for each; null if the handler of grpc-js serves them. */
  readonly serve: CallServer | null;
}

const OWN_PATH = `/${BtfService.typeName}/`;
const LOAD_PATH = `${OWN_PATH}${BtfService.method.loadHandle.name}`;
const CHECK_PATH = `${OWN_PATH}${BtfService.method.checkObject.name}`;
/** A request that is a little too large gets our own error. One that is larger than this is not even kept. */
const RECEIVED_TIMES = 2;
/** A request of health or reflection has a name or two. While a client of reflection does not read, some 30 of them wait. */
const STANDARD_BYTES = 4 * 1024;

/** The limits of the requests of methods. */
type MessageLimits = Pick<Limits, 'maxLoadMessageBytes' | 'maxObjectMessageBytes' | 'maxMessageBytes'>;

/** ServedMethods finds out once about each method what all of its calls need to know. */
export class ServedMethods {
  readonly #limits: MessageLimits;
  /** Only the methods that are served: clients can name any number of others. */
  readonly #known = new Map<string, ServedMethod>();
  readonly #servers = new Map<string, CallServer>();

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /** Sets the server of the method with a path, before its first call. */
  serve(path: string, server: CallServer): void {
    this.#servers.set(path, server);
  }

  of(definition: MethodDefinition): ServedMethod {
    const { path, requestStream, responseStream } = definition;
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const isKnown = !isUnknown(definition);
    const found = {
      ...methodOf(path, isKnown),
      needed: isKnown ? roleForPath(path) : null,
      receiveBytes: this.#receiveBytes(path),
      isLoad: path === LOAD_PATH,
      isCheck: path === CHECK_PATH,
      requestStream,
      isStream: requestStream || responseStream,
      serve: this.#servers.get(path) ?? null,
    };
    if (isKnown) this.#known.set(path, found);
    return found;
  }

  #receiveBytes(path: string): number {
    const { maxLoadMessageBytes, maxObjectMessageBytes, maxMessageBytes } = this.#limits;
    if (path === LOAD_PATH) return maxLoadMessageBytes;
    if (path === CHECK_PATH) return maxObjectMessageBytes;
    const most = path.startsWith(OWN_PATH) ? RECEIVED_TIMES * maxMessageBytes : STANDARD_BYTES;
    return Math.min(most, maxLoadMessageBytes);
  }
}
