/**
 * Twice as many requests as a server can answer, over real connections, kept up whether it answers or not. A query takes
 * the server a set time at least, so that what it can answer at most is known on every machine: twice that many are sent,
 * all of them, late where the machine was. What the answers are held against, capacity, is what a closed loop gets
 * through just before, so that a machine shared with others is measured with the same share.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./overload-child.js', import.meta.url));
/** Time a query takes: long against what a refusal costs, so that capacity is the queries' alone. */
const ASK_MS = 4;
/** After this long without an answer a request hangs: many times what a full queue takes. */
const HUNG_MS = 60_000;
const BODY = '{"query": "u1", "k": 3}';

/** The outcome of the requests. */
export interface OverloadFigures {
  /** Answers a second under overload, and of a closed loop before. */
  goodput: number;
  capacity: number;
  /** The number of responses with each status; 0 stands for a failed connection. */
  statuses: Map<number, number>;
  hung: number;
}

/** Overload a server for `durationMs`. */
export async function overloadSockets(durationMs: number): Promise<OverloadFigures> {
  const child = spawn(process.execPath, [CHILD, String(ASK_MS)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const agent = new Agent({ keepAlive: true });
  const statuses = new Map<number, number>();
  let hung = 0;
  const send = (): Promise<number> =>
    new Promise((resolve) => {
      const sent = request(
        {
          port: Number(line.toString()),
          path: '/v1/shortlist',
          method: 'POST',
          agent,
          timeout: HUNG_MS,
          headers: { 'content-type': 'application/json', 'content-length': BODY.length },
        },
        (response) => response.resume().on('end', () => resolve(response.statusCode!)),
      );
      sent.on('timeout', () => {
        hung++;
        sent.destroy();
      });
      sent.on('error', () => resolve(0));
      sent.end(BODY);
    });
  const closedLoop = async (untilTime: number): Promise<number> => {
    let answered = 0;
    for (; performance.now() < untilTime; answered++) await send();
    return answered;
  };
  try {
    await closedLoop(performance.now() + durationMs / 8);
    const begun = performance.now();
    const sent = await Promise.all(Array.from({ length: 8 }, () => closedLoop(begun + durationMs / 4)));
    const capacity = (sent.reduce((sum, count) => sum + count) / (performance.now() - begun)) * 1000;

    const started = performance.now();
    const all: Promise<void>[] = [];
    const dueAfter = (ms: number): number => (2 * Math.min(ms, durationMs)) / ASK_MS;
    let answered = 0;
    while (all.length < dueAfter(durationMs)) {
      while (all.length < dueAfter(performance.now() - started)) {
        const sent = send().then((status) => {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status === 200) answered++;
        });
        all.push(sent);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const goodput = (answered / (performance.now() - started)) * 1000;
    await Promise.all(all);
    return { goodput, capacity, statuses, hung };
  } finally {
    agent.destroy();
    child.kill('SIGKILL');
  }
}
