import { createRequire } from 'node:module';
import type * as OpenTelemetry from '@opentelemetry/api';
import { VERSION } from './version.js';

/** The global variable in which every copy of OpenTelemetry's API keeps what an SDK has registered. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

const require = createRequire(import.meta.url);
let loaded: typeof OpenTelemetry | null = null;

/**
 * tracing returns OpenTelemetry's API; null if the process has no SDK, which may be registered at any time. Without one the
 * API would record nothing, and to load its sixty files takes a tenth of the start of the daemon.
 */
export function tracing(): typeof OpenTelemetry | null {
  const registered: unknown = Reflect.get(globalThis, REGISTERED);
  if (typeof registered !== 'object' || registered === null || !('trace' in registered)) return null;
  return (loaded ??= load());
}

function load(): typeof OpenTelemetry {
  const api: typeof OpenTelemetry = require('@opentelemetry/api');
  return api;
}

/** tracer returns the tracer of btfd. */
export function tracer({ trace }: Pick<typeof OpenTelemetry, 'trace'>): OpenTelemetry.Tracer {
  return trace.getTracer('btfd', VERSION);
}

/**
 * inSpan does work within a span, which ends with the work. It records a failure only by the name of its error.
 *
 * @throws the error of the work.
 */
export async function inSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
  const api = tracing();
  if (api === null) return work();
  return tracer(api).startActiveSpan(name, async (span) => {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.name : 'failed';
      span.setStatus({ code: api.SpanStatusCode.ERROR, message });
      throw error;
    } finally {
      span.end();
    }
  });
}
