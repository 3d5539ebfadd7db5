import { BtfService } from '@btfd/api';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { BtfMethods } from '../grpc/rpc.js';
import { serveStream, serveUnary, serveWire, type ServeOptions } from '../grpc/serve.js';
import { checkObject } from './check-object.js';
import { cloneHandle } from './clone-handle.js';
import { closeHandles } from './close-handles.js';
import { getHandleById } from './get-handle-by-id.js';
import { getHandleInfo } from './get-handle-info.js';
import { getServerInfo } from './get-server-info.js';
import { encodeIterated } from './iterated-wire.js';
import { iterateHandles } from './iterate-handles.js';
import { KernelBtf } from './kernel-btf.js';
import { loadHandle } from './load-handle.js';
import { renewHandles } from './renew-handles.js';
import { resolveMembers } from './resolve-members.js';
import { spec } from './spec.js';
import { takeHandle } from './take-handle.js';
import { unchangedSpec } from './unchanged-spec.js';
import { watchHandles } from './watch-handles.js';
import type { Services } from './services.js';

/** btfService returns the handlers of all RPCs. A missing one is a compile error. */
export function btfService(services: Services, options: ServeOptions): UntypedServiceImplementation {
  const method = BtfService.method;
  const kernelBtf = new KernelBtf();
  return {
    loadHandle: serveWire(method.loadHandle, loadHandle(services), options),
    getHandleById: serveUnary(method.getHandleById, getHandleById(services), options),
    iterateHandles: serveStream(method.iterateHandles, iterateHandles(services), options, {
      fastEncode: encodeIterated,
    }),
    takeHandle: serveUnary(method.takeHandle, takeHandle(services), options),
    cloneHandle: serveUnary(method.cloneHandle, cloneHandle(services), options),
    getHandleInfo: serveUnary(method.getHandleInfo, getHandleInfo(services), options),
    renewHandles: serveUnary(method.renewHandles, renewHandles(services), options),
    closeHandles: serveUnary(method.closeHandles, closeHandles(services), options),
    resolveMembers: serveUnary(method.resolveMembers, resolveMembers(services, kernelBtf), options),
    spec: serveStream(method.spec, spec(services, kernelBtf), options, { atOnce: unchangedSpec(services) }),
    checkObject: serveStream(method.checkObject, checkObject(services), options),
    watchHandles: serveStream(method.watchHandles, watchHandles(services), options),
    getServerInfo: serveUnary(method.getServerInfo, getServerInfo(services), options),
  } satisfies Record<keyof BtfMethods, unknown>;
}
