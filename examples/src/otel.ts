/**
 * Switches on traces in the daemon, which makes them but exports none by itself:
 *
 *     node --import ./examples/dist/otel.js packages/server/bin/btfd.js
 *
 * This prints every span to standard output as it ends. For a collector put the exporter of
 * `@opentelemetry/exporter-trace-otlp-grpc` in its place, and `BatchSpanProcessor` around it.
 */
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

const provider = new NodeTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())],
});
// Sets the context manager, and W3C trace context as what is read from clients.
provider.register();
