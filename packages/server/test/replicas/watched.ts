/** A server of several processes whose log a test reads: it says which processes there are. */
import { pino } from 'pino';
import type { ServerOptions, ShortlistServer } from '../../src/index.ts';
import { until } from '../fixtures/occupied.ts';
import { startTiny } from '../fixtures/tiny-bundle.ts';

/** A line of the log. */
interface Line {
  msg: string;
  replica?: number;
  /** Why the server ended a replica. */
  reason?: string;
  signal?: string;
}

/** A server and what it said. */
export interface Watched {
  server: ShortlistServer;
  /** Process numbers of the replicas that were started, in order. */
  started(): number[];
  /** The lines about replicas that ended, in order. */
  ended(): Line[];
  /** Wait until the log has this text so many times. */
  said(text: string, times?: number): Promise<void>;
}

/** Start a server. */
export async function startWatched(basePath: string, options: Partial<ServerOptions> = {}): Promise<Watched> {
  const lines: Line[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as Line) });
  const server = await startTiny(basePath, { processes: 2, logger, ...options });
  return {
    server,
    started: () => lines.filter(({ msg }) => msg === 'a replica was started').map(({ replica }) => replica!),
    ended: () => lines.filter(({ msg }) => msg.startsWith('replica ended')),
    said: (text, times = 1) => until(() => lines.filter(({ msg }) => msg === text).length >= times),
  };
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
