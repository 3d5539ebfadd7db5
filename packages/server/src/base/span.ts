import { SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { VERSION } from './version.js';

/** tracer returns the tracer of btfd. Its spans are dropped unless the process has an OpenTelemetry SDK. */
export function tracer(): Tracer {
  return trace.getTracer('btfd', VERSION);
}

/**
 * inSpan does work within a span, which ends with the work. It records a failure only by the name of its error.
 *
 * @throws the error of the work.
 */
export async function inSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, async (span) => {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.name : 'failed';
      span.setStatus({ code: SpanStatusCode.ERROR, message });
      throw error;
    } finally {
      span.end();
    }
  });
}
