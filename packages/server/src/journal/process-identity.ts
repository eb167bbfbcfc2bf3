/**
 * Identifies a process by machine, process number and start time, and tells whether another process still runs. The
 * start time is needed because process numbers are reused. Limit: on another machine, in another container or without
 * /proc the answer is 'unknown'.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The identity of a process, by which other processes recognize it. */
export interface ProcessIdentity {
  host: string;
  pid: number;
  /** Identifier of the machine's boot and of the namespace of the process number; '' if the system does not tell. */
  machine: string;
  /** Clock ticks from the boot of the machine to the start of the process; '' if the system does not tell. */
  started: string;
}

/** Position of the start time among the fields that follow the program's name in /proc/PID/stat. */
const START_FIELD = 19;

function readOr(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

/** Start time of a process of this machine; '' if the system does not tell. */
function startOf(pid: number): string {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The program's name is in parentheses and may contain any character, so the last parenthesis is searched.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD] ?? '';
}

/** The identity of this process. */
export function thisProcess(): ProcessIdentity {
  const boot = readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const space = readOr(() => readlinkSync('/proc/self/ns/pid'));
  const { pid } = process;
  return { host: hostname(), pid, machine: boot && space && `${boot} ${space}`, started: startOf(pid) };
}

/** Whether a process still runs; 'unknown' if this process cannot tell. */
export function livenessOf(other: ProcessIdentity, self: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (other.host !== self.host || other.machine !== self.machine || self.machine === '') return 'unknown';
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const started = startOf(other.pid);
  if (started === '' || other.started === '') return 'unknown';
  return started === other.started ? 'alive' : 'dead';
}
