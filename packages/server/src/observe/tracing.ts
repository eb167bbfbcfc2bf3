/**
 * OpenTelemetry spans, made through the API package only: without an SDK in the process no span is made.
 */
import { createRequire } from 'node:module';
import type * as OpenTelemetry from '@opentelemetry/api';

// prom-client loads the API as CommonJS. An import would load the 51 modules of its other copy, too, which took a tenth of the
// start of a process. Both copies have the same registered provider.
const { ProxyTracerProvider, SpanStatusCode, trace } = createRequire(import.meta.url)(
  '@opentelemetry/api',
) as typeof OpenTelemetry;

const NAME = '@shortlist/server';
/** The tracer of the provider that is registered now. That of an earlier call is of no use if another copy of the API registers. */
const tracer = (): OpenTelemetry.Tracer => trace.getTracer(NAME);

/**
 * Whether a tracer provider is registered. Without this check, a span would cost a context and two promises per request
 * even if there is no provider.
 */
function isTraced(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(NAME) !== undefined;
}

/** Run `work` inside a span, which records an error of `work`. */
export function traced<R>(name: string, attributes: OpenTelemetry.Attributes, work: () => R): R | Promise<Awaited<R>> {
  if (!isTraced()) return work();
  return tracer().startActiveSpan(name, { attributes }, async (span): Promise<Awaited<R>> => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Record a span for work that has just ended. */
export function tracePast(name: string, attributes: OpenTelemetry.Attributes, tookMs: number): void {
  if (isTraced())
    tracer()
      .startSpan(name, { attributes, startTime: Date.now() - tookMs })
      .end();
}
