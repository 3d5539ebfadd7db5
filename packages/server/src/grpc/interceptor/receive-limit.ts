import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { transportCall } from './transport-call.js';

/**
 * receiveLimit bounds the message of a call by its method, while it comes and where it is unpacked: an interceptor of
 * the server. grpc-js (1.14) has one bound for all methods, up to which it keeps what a call sends for as long as the
 * call lasts, whoever makes it.
 *
 * @param limitOf - the bound for a method's path, in bytes
 */
export function receiveLimit(limitOf: (path: string) => number): ServerInterceptor {
  return ({ path }, call) => {
    const limit = limitOf(path);
    const transport = transportCall(call);
    // Of what is unpacked.
    Reflect.set(transport, 'maxReceiveMessageSize', limit);
    // Of what comes.
    const decoder: unknown = Reflect.get(transport, 'decoder');
    if (typeof decoder === 'object' && decoder !== null) Reflect.set(decoder, 'maxReadMessageLength', limit);
    return new ServerInterceptingCall(call);
  };
}
