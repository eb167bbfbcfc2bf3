/** A server in a process of its own, which tells by messages its ports and, when it is asked, what it holds. */
import { existsSync, readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startTiny } from '../fixtures/tiny-bundle.ts';

/** What the server holds while no request is under way. */
export interface Held {
  /** Bytes that something still knows: the memory of the process depends on when the allocator gives it back. */
  liveBytes: number;
  /** Open file descriptors; 0 on systems that do not list them. */
  descriptors: number;
  /** Sockets and pipes by kind. */
  resources: Record<string, number>;
  /** Queries in the queue. */
  waiting: number;
  /** Requests that hold the version. */
  leases: number;
  /** Lines of `/metrics`: one for each combination of labels. */
  metrics: number;
}

const DESCRIPTORS = '/proc/self/fd';
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const [basePath = ''] = process.argv.slice(2);
const server = await startTiny(basePath, { grpcPort: 0, pollMs: 1000, limits: { arrivalMs: 2_000 } });
const served = server.registry.choose('films', {});

async function held(): Promise<Held> {
  const text = await (
    await fetch(`http://127.0.0.1:${server.httpPort}/metrics`, { headers: { connection: 'close' } })
  ).text();
  const resources: Record<string, number> = {};
  // Other kinds, such as a file that is just read, come and go.
  const kinds = process.getActiveResourcesInfo().filter((kind) => kind.endsWith('Wrap'));
  for (const kind of kinds) resources[kind] = (resources[kind] ?? 0) + 1;
  // A collection leaves arrays to another thread, and the next one waits until that thread has given them back.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return {
    liveBytes: heapUsed + external,
    descriptors: existsSync(DESCRIPTORS) ? readdirSync(DESCRIPTORS).length : 0,
    resources,
    waiting: served.batcher.waiting,
    leases: served.leases,
    metrics: text.split('\n').length,
  };
}

process.on('message', () => void held().then((answer) => process.send!(answer)));
process.on('disconnect', () => process.exit());
process.send!({ httpPort: server.httpPort, grpcPort: server.grpcPort });
