// Uses the types of the packages as a consumer with strict checks does.
import { BtfService, type SpecRequest, SpecRequestSchema } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { Builder, type Type, Spec, typeByName } from '@btfd/btf';
import { BtfClient, BtfError, type Handle, type HandleInfo } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import { btfGetNextId } from '@btfd/native';
import { create } from '@bufbuild/protobuf';

export async function sizes(address: string): Promise<Map<string, number>> {
  await using client = new BtfClient(address);
  const handle: Handle = await client.findHandle((info: HandleInfo) => info.isVmlinux);
  const spec: Spec = await handle.spec();
  const found = new Map<string, number>();
  for (const type of spec.typesByName('task_struct')) if (type.kind === 'STRUCT') found.set(type.name, type.size);
  return found;
}

export const request: SpecRequest = create(SpecRequestSchema, { source: { case: 'name', value: 'vmlinux' } });
export const definition = toServiceDefinition(BtfService);
export const marshal = (builder: Builder): Uint8Array => builder.marshal();
export const find = (spec: Spec): Type => typeByName(spec, 'list_head', 'STRUCT');
export const reasonOf = (error: unknown): string | null => (error instanceof BtfError ? error.reason : null);
export const nextId: (after: number) => number | null = btfGetNextId;

export async function specsAsked(btf: Uint8Array): Promise<boolean[]> {
  await using daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }] });
  await sizes(daemon.address);
  return daemon.callsOf('spec').map((call) => call.request.ifNoneMatch === undefined);
}

// @ts-expect-error an address is a string.
export const wrong = new BtfClient(1);
