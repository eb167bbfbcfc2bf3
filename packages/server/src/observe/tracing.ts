/**
 * OpenTelemetry spans through the API package only: without an SDK in the process they cost nothing and go nowhere.
 */
import { type Attributes, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('@shortlist/server');

/** Run `work` inside a span that carries its failure. */
export function traced<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
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
  tracer.startSpan(name, { attributes, startTime: Date.now() - tookMs }).end();
}
