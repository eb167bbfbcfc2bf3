/**
 * OpenTelemetry spans through the API package only: without an SDK in the process they cost nothing and go nowhere.
 */
import { type Attributes, ProxyTracerProvider, SpanStatusCode, trace } from '@opentelemetry/api';

const NAME = '@shortlist/server';
const tracer = trace.getTracer(NAME);

/** Whether a tracer provider is registered. Without one a span would still cost a context and two promises a request. */
function isTraced(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(NAME) !== undefined;
}

/** Run `work` inside a span that carries its failure. */
export function traced<R>(name: string, attributes: Attributes, work: () => R): R | Promise<Awaited<R>> {
  if (!isTraced()) return work();
  return tracer.startActiveSpan(name, { attributes }, async (span): Promise<Awaited<R>> => {
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

/** A span of something that has just ended. */
export function tracePast(name: string, attributes: Attributes, tookMs: number): void {
  if (isTraced()) tracer.startSpan(name, { attributes, startTime: Date.now() - tookMs }).end();
}
