import { setTimeout as wait } from 'node:timers/promises';
import { BtfError, status } from '@btfd/client';
import { oneLine } from '../base/one-line.js';
import type { ApiResponse, ApiServer } from './api-server.js';

/** SliceSelection is the Service whose slices are listed. Its names have only characters that a URL does not escape. */
export interface SliceSelection {
  readonly namespace: string;
  readonly service: string;
}

/** The label by which a slice belongs to a Service. */
const SERVICE_LABEL = 'kubernetes.io/service-name';
/** Slices of one response, as kubectl and client-go list. */
const PAGE = 500;
/** A slice has 100 endpoints by default, so these are a hundred times as many as the largest fleet needs. */
const MAX_PAGES = 100;
/** Real tokens have some hundred characters. */
const MAX_TOKEN = 4_096;
/** A list that expires between its pages is started again. */
const MAX_STARTS = 3;
/** As client-go, for a server that is busy. */
const MAX_RETRIES = 10;
/** A caller would rather know than wait for longer. */
const MAX_RETRY_WAIT_MS = 15_000;
const DEFAULT_RETRY_WAIT_MS = 1_000;

/**
 * listSlices lists the EndpointSlices of a Service, and gives each page of them to a function. If the list expires
 * between two pages, it starts again: `onStart` is called before each start.
 *
 * @throws BtfError PERMISSION_DENIED that names the missing rule, UNAUTHENTICATED, RESOURCE_EXHAUSTED if the server stays
 * busy, ABORTED if the list expires three times, INVALID_RESPONSE, and UNAVAILABLE for other failures.
 * @throws the reason of the signal if it aborts.
 */
export async function listSlices(
  server: ApiServer,
  selection: SliceSelection,
  { onStart, onPage }: { onStart: () => void; onPage: (slices: readonly unknown[]) => void },
  signal: AbortSignal,
): Promise<void> {
  const retries = { left: MAX_RETRIES };
  for (let starts = 0; starts < MAX_STARTS; starts++) {
    onStart();
    if (await listPages(server, selection, retries, onPage, signal)) return;
  }
  const message = `the list of EndpointSlices expired between its pages ${MAX_STARTS} times: try again when ${server.description} is less busy`;
  throw new BtfError({ code: status.ABORTED, reason: null, message });
}

/** Returns false if the list has expired. */
async function listPages(
  server: ApiServer,
  selection: SliceSelection,
  retries: { left: number },
  onPage: (slices: readonly unknown[]) => void,
  signal: AbortSignal,
): Promise<boolean> {
  let token: string | null = null;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const response = await getPatiently(server, pathOf(selection, token), retries, signal);
    if (response.status === 410) return false;
    if (response.status !== 200) throw failureOf(server, response, selection);
    const page = pageOf(server, response.body);
    onPage(page.items);
    token = page.next;
    if (token === null) return true;
  }
  throw server.invalid(`has more than ${MAX_PAGES} pages`);
}

function pathOf({ namespace, service }: SliceSelection, token: string | null): string {
  const query = new URLSearchParams({ labelSelector: `${SERVICE_LABEL}=${service}`, limit: String(PAGE) });
  if (token !== null) query.set('continue', token);
  return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${query.toString()}`;
}

/** Waits if a busy server says when to come back, as client-go does. */
async function getPatiently(
  server: ApiServer,
  path: string,
  retries: { left: number },
  signal: AbortSignal,
): Promise<ApiResponse> {
  for (;;) {
    const response = await server.get(path, signal);
    const ms = retryWaitOf(response);
    if (ms === null || ms > MAX_RETRY_WAIT_MS || retries.left === 0) return response;
    retries.left -= 1;
    await wait(ms, undefined, { signal });
  }
}

/** Returns when to try again, in milliseconds; null if there is no point in it. */
function retryWaitOf({ status: code, retryAfter }: ApiResponse): number | null {
  if (code === 429) return retryAfter ?? DEFAULT_RETRY_WAIT_MS;
  return code >= 500 ? retryAfter : null;
}

interface Page {
  readonly items: readonly unknown[];
  readonly next: string | null;
}

function pageOf(server: ApiServer, body: string): Page {
  const list = parsed(body);
  if (list['kind'] !== 'EndpointSliceList' || !Array.isArray(list['items'])) {
    throw server.invalid('is not a list of EndpointSlices: check the address in the kubeconfig');
  }
  const items: readonly unknown[] = list['items'];
  const next = fieldsOf(list['metadata'])['continue'] ?? '';
  if (typeof next !== 'string' || next.length > MAX_TOKEN) throw server.invalid('has a bad `continue`');
  return { items, next: next === '' ? null : next };
}

/** Returns the fields of a JSON object, and none for anything else. */
function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return fieldsOf(value);
  } catch {
    return {};
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function failureOf(server: ApiServer, response: ApiResponse, { namespace }: SliceSelection): BtfError {
  const { status: code, body, retryAfter } = response;
  const said = parsed(body)['message'];
  const why = typeof said === 'string' && said !== '' ? oneLine(said) : 'no reason given';
  const failure = (of: status, problem: string): BtfError =>
    new BtfError({
      code: of,
      reason: null,
      message: `${problem}: HTTP ${code}, ${why}`,
      retryDelay: of === status.RESOURCE_EXHAUSTED ? retryAfter : null,
    });
  switch (code) {
    case 401:
      return failure(
        status.UNAUTHENTICATED,
        `${server.description} does not accept the credentials, check the user of the context or the service account`,
      );
    case 403:
      return failure(
        status.PERMISSION_DENIED,
        `${server.description} does not let this user list EndpointSlices, bind a Role in the namespace "${namespace}" with the rule {apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"]}`,
      );
    case 404:
      return failure(
        status.NOT_FOUND,
        `${server.description} has no EndpointSlices of discovery.k8s.io/v1, which Kubernetes has since 1.21`,
      );
    case 429:
      return failure(status.RESOURCE_EXHAUSTED, `${server.description} is too busy, try again later`);
    default:
      return failure(status.UNAVAILABLE, `${server.description} cannot list EndpointSlices`);
  }
}
