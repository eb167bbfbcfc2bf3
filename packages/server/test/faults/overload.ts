/**
 * Twice as many requests as a queue can answer. The servable is busy a set time a query; capacity is what a closed loop
 * gets through just before, so that a machine shared with others is measured with the same share.
 */
import { Batcher } from '../../src/queue/batcher.ts';
import type { Answer, Ask } from '../../src/servable/contract.ts';
import { ServingError } from '../../src/status/serving-error.ts';

/** Time a query takes. */
const ASK_MS = 0.5;
const DEADLINE_MS = 500;

function busyFor(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** Answers a second when nobody asks before there is room. */
async function closedLoop(batcher: Batcher, ask: Ask, durationMs: number): Promise<number> {
  const started = performance.now();
  let answered = 0;
  const asker = async (): Promise<void> => {
    while (performance.now() - started < durationMs) {
      await batcher.submit([ask]);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: 128 }, asker));
  return (answered / (performance.now() - started)) * 1000;
}

/** What came through in `durationMs`, a second; and requests that never ended. */
export async function overload(
  durationMs: number,
): Promise<{ goodput: number; capacity: number; shed: number; hung: number }> {
  const answer = (asks: readonly Ask[]): Answer[] => {
    busyFor(ASK_MS * asks.length);
    return asks.map(() => ({ identifiers: [], scores: new Float32Array(0), rows: new Int32Array(0) }));
  };
  const batcher = new Batcher(answer, { queued: 256 });
  const ask: Ask = { k: 1, embedding: Float32Array.of(1) };
  const capacity = await closedLoop(batcher, ask, durationMs / 4);
  let answered = 0;
  let shed = 0;
  let open = 0;
  let sent = 0;
  const started = performance.now();
  for (let now = started; now < started + durationMs; now = performance.now()) {
    for (const due = ((now - started) / 1000) * 2 * capacity; sent < due; sent++) {
      open++;
      batcher
        .submit([ask], { deadline: now + DEADLINE_MS })
        .then(
          () => answered++,
          (error) => {
            if (!(error instanceof ServingError)) throw error;
            shed++;
          },
        )
        .finally(() => open--);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const tookMs = performance.now() - started;
  const goodput = (answered / tookMs) * 1000;
  await batcher.idle();
  await new Promise((resolve) => setImmediate(resolve));
  return { goodput, capacity, shed, hung: open };
}
