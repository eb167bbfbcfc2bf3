/**
 * Features of one time per row: the hour of the day, the day of the week, or the age against now.
 *
 * age = (ln(1 + days) − mean) / deviation, days = (now − time) / 24 h, 0 for a time after now. Now is the row's `now` field,
 * else the time of the call, else the newest time of the data that the feature learned from. Without a `now` field, mean and
 * deviation are those of a sample of the times (value-sample.ts), because the newest time is known only at the end.
 */
import type { FeatureColumn } from './contract.ts';
import type { Encoder, FeatureKind, Learned } from './kind.ts';
import { isMissing, type Values } from './mismatches.ts';
import type { TimeFeatureSpec } from './spec.ts';
import { timeMs } from './times.ts';
import { Moments, ValueSample } from './value-sample.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 1970-01-01 was a Thursday, day 3 of a week that begins on Monday. */
const FIRST_WEEKDAY = 3;
const SIZE = { hour: 24, weekday: 7 } as const;

/** A time per row. */
export const TIME: FeatureKind<TimeFeatureSpec> = {
  hasWords: false,
  besideField: ({ now }) => now,
  learner(spec, { generator }) {
    const ages = new Moments();
    const times = new ValueSample(generator);
    let newestMs = Number.NEGATIVE_INFINITY;
    const add = (values: Values): void =>
      visitTimes(spec, values, (_, ms, now) => {
        if (ms === undefined) return;
        newestMs = Math.max(newestMs, now ?? ms);
        if (now === undefined) times.add(ms);
        else ages.add(logDays(ms, now));
      });
    return {
      add,
      finish(): Learned {
        if (spec.part !== 'age') return {};
        if (newestMs === Number.NEGATIVE_INFINITY) newestMs = 0;
        for (const ms of times.sorted()) ages.add(logDays(ms, newestMs));
        return { newestMs, ...ages.finish() };
      },
    };
  },
  encoder: (spec, learned) => (spec.part === 'age' ? ageFloats(spec, learned) : partIds(spec, spec.part)),
  load: (spec, learned) =>
    spec.part === 'age'
      ? {
          newestMs: learned.number('newestMs'),
          mean: learned.number('mean'),
          deviation: learned.number('deviation', { min: Number.MIN_VALUE }),
        }
      : {},
};

function logDays(ms: number, nowMs: number): number {
  return Math.log1p(Math.max(0, nowMs - ms) / DAY_MS);
}

function ageFloats(spec: TimeFeatureSpec, learned: Learned): Encoder {
  const { newestMs, mean, deviation } = learned as { newestMs: number; mean: number; deviation: number };
  const dimensions = spec.missing === 'own' ? 2 : 1;
  const encode = (values: Values): FeatureColumn => {
    const out = new Float32Array(values.values.length * dimensions);
    visitTimes(spec, values, (row, ms, now = values.nowMs ?? newestMs) => {
      if (ms === undefined) out[row * 2 + 1] = 1;
      else out[row * dimensions] = (logDays(ms, now) - mean) / deviation;
    });
    return { kind: 'floats', dimensions, values: out };
  };
  return { column: 'floats', vocabularySize: 0, dimensions, combiner: 'sum', encode };
}

function partIds(spec: TimeFeatureSpec, part: 'hour' | 'weekday'): Encoder {
  const first = spec.missing === 'own' ? 1 : 0;
  const aheadMs = (spec.utcOffsetMinutes ?? 0) * 60_000;
  const idAt = (ms: number): number => {
    const local = ms + aheadMs;
    const day = Math.floor(local / DAY_MS);
    if (part === 'hour') return Math.floor((local - day * DAY_MS) / HOUR_MS);
    return (((day + FIRST_WEEKDAY) % 7) + 7) % 7;
  };
  const encode = (values: Values): FeatureColumn => {
    const ids = new Int32Array(values.values.length);
    visitTimes(spec, values, (row, ms) => {
      ids[row] = ms === undefined ? 0 : first + idAt(ms);
    });
    return { kind: 'ids', ids };
  };
  return { column: 'ids', vocabularySize: first + SIZE[part], dimensions: 0, combiner: 'sum', encode };
}

/** Visit each time that fits; a missing time is visited as undefined. `nowMs` is the `now` field of the row. */
function visitTimes(
  { missing = 'error', unit = 'seconds', now }: TimeFeatureSpec,
  { values, beside, mismatch }: Values,
  visit: (row: number, ms: number | undefined, nowMs: number | undefined) => void,
): void {
  const expected = `a time in ${unit} since 1970, to the year 9999, or in ISO 8601`;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (isMissing(value) && missing === 'own') {
      visit(row, undefined, undefined);
      continue;
    }
    const ms = timeMs(value, unit);
    const besideNow = now === undefined ? undefined : beside?.[row];
    const nowMs = isMissing(besideNow) ? undefined : timeMs(besideNow, unit);
    if (ms === undefined) mismatch(row, expected, value);
    else if (nowMs === undefined && !isMissing(besideNow)) mismatch(row, `${expected} as ${now}`, besideNow);
    else visit(row, ms, nowMs);
  }
}
