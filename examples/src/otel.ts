/**
 * Enables traces in the daemon, which creates spans but does not export them:
 *
 *     node --import ./examples/dist/otel.js packages/server/bin/btfd.js
 *
 * It prints every span to standard output when the span ends. For a collector, use the exporter of
 * `@opentelemetry/exporter-trace-otlp-grpc` in a `BatchSpanProcessor` instead.
 */
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

const provider = new NodeTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())],
});
// Sets the context manager, and W3C trace context as the format of clients' headers.
provider.register();
