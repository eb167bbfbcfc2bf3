/**
 * Which process this is, and whether another is still there: by machine, process number and the time it was started, for
 * numbers are given again. Where the system does not tell enough (another machine or container, no /proc) nobody knows.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, as others can recognize it. */
export interface ProcessIdentity {
  host: string;
  pid: number;
  /** Of the machine's start and of the space in which the number counts; '' where the system does not tell. */
  machine: string;
  /** Clock ticks from the machine's start to the process's; '' where the system does not tell. */
  started: string;
}

/** Of the numbers in /proc/PID/stat behind the program's name, the start is the 20th. */
const START_FIELD = 19;

function readOr(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

/** When a process of this machine was started; '' where the system does not tell. */
function startOf(pid: number): string {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The program's name is in parentheses and may hold any character.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD] ?? '';
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  const boot = readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const space = readOr(() => readlinkSync('/proc/self/ns/pid'));
  const { pid } = process;
  return { host: hostname(), pid, machine: boot && space && `${boot} ${space}`, started: startOf(pid) };
}

/** Whether a process is still there: 'unknown' where this process cannot tell. */
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
