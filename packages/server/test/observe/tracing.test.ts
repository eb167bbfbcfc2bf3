/** Spans go to the provider that a program has registered; without one nothing is traced. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import * as OpenTelemetry from '@opentelemetry/api';
import { traced, tracePast } from '../../src/observe/tracing.ts';

interface Recorded {
  name: string;
  options: { attributes?: object; startTime?: number };
  status: object[];
  isEnded: boolean;
}

const spans: Recorded[] = [];

/** A tracer that records its spans. */
const tracer = {
  startSpan(name: string, options: Recorded['options']) {
    const recorded: Recorded = { name, options, status: [], isEnded: false };
    spans.push(recorded);
    return {
      setStatus: (status: object) => void recorded.status.push(status),
      end: () => {
        recorded.isEnded = true;
      },
    };
  },
  startActiveSpan(name: string, options: Recorded['options'], work: (span: object) => unknown) {
    return work(tracer.startSpan(name, options));
  },
};

// A program registers its provider by one of the copies of the API; the server has that for CommonJS.
for (const [copy, { trace }] of [
  ['CommonJS', createRequire(import.meta.url)('@opentelemetry/api') as typeof OpenTelemetry],
  ['ES modules', OpenTelemetry],
] as const) {
  test(`spans of a provider that the API for ${copy} registers have attributes, errors and an end`, async () => {
    spans.length = 0;
    const early = traced('early', {}, () => 1);
    assert.equal(early, 1);
    tracePast('early', {}, 5);
    assert.equal(spans.length, 0, 'no provider is registered');
    assert.ok(trace.setGlobalTracerProvider({ getTracer: () => tracer as unknown as OpenTelemetry.Tracer }));
    const before = Date.now();
    try {
      assert.equal(await traced('search', { k: 5 }, () => 2), 2);
      const failed = traced('failed', {}, () => {
        throw new Error('no such model');
      });
      await assert.rejects(async () => failed, /no such model/);
      tracePast('queued', {}, 1_000);
    } finally {
      trace.disable();
    }
    const late = traced('late', {}, () => 3);
    assert.equal(late, 3);
    assert.deepEqual(
      spans.map(({ name, isEnded, status, options }) => [name, isEnded, status, options.attributes]),
      [
        ['search', true, [], { k: 5 }],
        ['failed', true, [{ code: 2, message: 'no such model' }], {}],
        ['queued', true, [], {}],
      ],
    );
    const { startTime } = spans[2]!.options;
    assert.ok(startTime! >= before - 1_000 && startTime! <= Date.now() - 1_000);
  });
}
