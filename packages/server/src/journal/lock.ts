/**
 * The lock of a version's journal: `updates.lock` beside it says which server appends, and is gone when none does.
 *
 * The file holds its owner (host, process, start) as JSON. The owner sets the file's time every two seconds. A lock is stale
 * when its process has ended on this machine, or, where nobody can tell, when its time has not moved for 15 seconds of this
 * process's own clock, or is ten minutes old. A stale one is renamed, looked at again, and removed; an owner that was only
 * held up finds its file removed before it appends again, and appends no more.
 *
 * Limit: a folder on a network file system is as safe as that system's exclusive creation and renaming.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, type FileHandle, link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { livenessOf, type ProcessIdentity, thisProcess } from './process-identity.ts';

/** The lock's name in a version's folder. */
export const LOCK_NAME = 'updates.lock';

/** How often an owner says that it is there. */
const HEARTBEAT_MS = 2_000;
/** Silence after which an owner is taken for gone: several heartbeats on a busy machine. */
const SILENT_MS = 15_000;
/** Age at which nobody waits to see whether the time moves; clocks of machines differ by less. */
const LONG_AGO_MS = 600_000;
/** The file is looked at before an append when that was last done longer ago: the process was held up. */
const TRUSTED_MS = 3 * HEARTBEAT_MS;

/** Who holds a lock. */
export interface LockOwner extends ProcessIdentity {
  owner: string;
  /** When it was taken, as ISO 8601. */
  since: string;
}

/** What a lock is told of time: tests bring their own. */
export interface LockClock {
  /** Milliseconds that never go back. */
  monotonic: () => number;
  /** Milliseconds since 1970. */
  now: () => number;
}

const REAL_CLOCK: LockClock = { monotonic: () => performance.now(), now: () => Date.now() };

/** A lock that this process holds. */
export class JournalLock {
  readonly #file: FileHandle;
  readonly #clock: LockClock;
  readonly #timer: NodeJS.Timeout;
  #folder: string;
  #seenAt: number;
  #isLost = false;
  #isReleased = false;

  constructor(folder: string, file: FileHandle, clock: LockClock) {
    this.#folder = folder;
    this.#file = file;
    this.#clock = clock;
    this.#seenAt = clock.monotonic();
    this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    this.#timer.unref();
  }

  /** Whether another server has taken it over, as far as is known. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** The folder was renamed. */
  moved(folder: string): void {
    this.#folder = folder;
  }

  /** Whether this process may append; the file is looked at when the process may have been held up. */
  async isHeld(): Promise<boolean> {
    if (this.#clock.monotonic() - this.#seenAt > TRUSTED_MS) await this.#beat();
    return !this.#isLost && !this.#isReleased;
  }

  /** Give it back; the file is removed unless another server has taken it over. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearInterval(this.#timer);
    const path = join(this.#folder, LOCK_NAME);
    try {
      const [own, there] = await Promise.all([this.#file.stat(), stat(path)]);
      if (own.ino === there.ino && own.dev === there.dev) await rm(path, { force: true });
    } catch {
      // The folder or the file is gone: there is nothing to give back.
    } finally {
      await this.#file.close().catch(() => undefined);
    }
  }

  async #beat(): Promise<void> {
    if (this.#isReleased || this.#isLost) return;
    try {
      // A file without a name was removed by whoever took the lock over.
      if ((await this.#file.stat()).nlink === 0) this.#isLost = true;
      else {
        const now = new Date(this.#clock.now());
        await this.#file.utimes(now, now);
        this.#seenAt = this.#clock.monotonic();
      }
    } catch (error) {
      if (!this.#isReleased && (error as NodeJS.ErrnoException).code === 'ESTALE') this.#isLost = true;
    }
  }
}

/** Why a lock was not taken: who holds it, or what the system said. */
export type NotLocked = { holder: LockOwner | undefined } | { refusal: NodeJS.ErrnoException };

/** What `link` says on file systems that have no links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/** Give a file a second name; false where the file system has none. Throws EEXIST when the name is taken. */
async function linked(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    if (NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** What the locks of a server tell it. */
export interface JournalLocksOptions {
  /** A stale lock was taken over. */
  onTakeOver?: (folder: string, owner: LockOwner | undefined, why: string) => void;
  clock?: LockClock;
  self?: ProcessIdentity;
}

/** A lock of another process, as it was last seen to change. */
interface Watched {
  text: string;
  mtimeMs: number;
  since: number;
}

/** Takes locks for one server, and remembers those of others to see whether their owners are still there. */
export class JournalLocks {
  readonly #onTakeOver: NonNullable<JournalLocksOptions['onTakeOver']>;
  readonly #clock: LockClock;
  readonly #self: ProcessIdentity;
  readonly #watched = new Map<string, Watched>();

  constructor({ onTakeOver = () => undefined, clock = REAL_CLOCK, self = thisProcess() }: JournalLocksOptions = {}) {
    this.#onTakeOver = onTakeOver;
    this.#clock = clock;
    this.#self = self;
  }

  /** Take the lock of a version's folder, from a stale owner if need be. */
  async take(folder: string): Promise<JournalLock | NotLocked> {
    const lock = await this.#create(folder);
    if (lock instanceof JournalLock) return lock;
    if (lock.code !== 'EEXIST') return { refusal: lock };
    const found = await read(folder);
    // Given back just now: its owner is there no longer.
    if (!found) return this.#createOr(folder, undefined);
    const why = this.#whyStale(folder, found);
    if (why === undefined || !(await remove(folder, found.text))) return { holder: found.owner };
    const taken = await this.#createOr(folder, found.owner);
    if (taken instanceof JournalLock) this.#onTakeOver(folder, found.owner, why);
    return taken;
  }

  /** Whether a folder is being written by a server that is there, as far as can be told without waiting. */
  async isHeld(folder: string): Promise<boolean> {
    const found = await read(folder);
    return found !== undefined && this.#whyStale(folder, found) === undefined;
  }

  async #createOr(folder: string, holder: LockOwner | undefined): Promise<JournalLock | NotLocked> {
    const lock = await this.#create(folder);
    if (lock instanceof JournalLock) return lock;
    return lock.code === 'EEXIST' ? { holder } : { refusal: lock };
  }

  /** The file appears with its owner in it: a process that is killed here leaves no lock without an owner behind. */
  async #create(folder: string): Promise<JournalLock | NodeJS.ErrnoException> {
    const path = join(folder, LOCK_NAME);
    const owner: LockOwner = { owner: randomUUID(), ...this.#self, since: new Date(this.#clock.now()).toISOString() };
    const written = `${path}.${owner.owner}`;
    let file: FileHandle | undefined;
    try {
      file = await open(written, 'wx');
      await file.writeFile(`${JSON.stringify(owner)}\n`);
      if (!(await linked(written, path))) {
        await copyFile(written, path, constants.COPYFILE_EXCL);
        await file.close();
        file = await open(path, 'r+');
      }
    } catch (error) {
      await file?.close();
      return error as NodeJS.ErrnoException;
    } finally {
      await rm(written, { force: true }).catch(() => undefined);
    }
    this.#watched.delete(folder);
    return new JournalLock(folder, file, this.#clock);
  }

  #whyStale(folder: string, { text, owner, mtimeMs }: FoundLock): string | undefined {
    const liveness = owner ? livenessOf(owner, this.#self) : 'unknown';
    if (liveness === 'dead') return 'its process has ended';
    if (liveness === 'alive') return undefined;
    if (this.#clock.now() - mtimeMs > LONG_AGO_MS) return 'its server has given no sign of life for ten minutes';
    const watched = this.#watched.get(folder);
    if (watched?.text !== text || watched.mtimeMs !== mtimeMs) {
      this.#watched.set(folder, { text, mtimeMs, since: this.#clock.monotonic() });
      return undefined;
    }
    if (this.#clock.monotonic() - watched.since < SILENT_MS) return undefined;
    return `its server has given no sign of life for ${SILENT_MS / 1000} seconds`;
  }
}

interface FoundLock {
  text: string;
  owner: LockOwner | undefined;
  mtimeMs: number;
}

async function read(folder: string): Promise<FoundLock | undefined> {
  const path = join(folder, LOCK_NAME);
  try {
    const entry = await stat(path);
    const { mtimeMs } = entry;
    // Reading what is no file might never end.
    const text = entry.isFile() ? await readFile(path, 'utf8') : '';
    return { text, owner: parseOwner(text), mtimeMs };
  } catch {
    return undefined;
  }
}

/** Who a lock's text names; undefined where it was not finished or is not ours. */
function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner>;
    const { pid } = owner;
    const isOwner =
      Number.isSafeInteger(pid) &&
      pid! > 0 &&
      [owner.owner, owner.host, owner.machine, owner.started, owner.since].every((part) => typeof part === 'string');
    return isOwner ? (owner as LockOwner) : undefined;
  } catch {
    return undefined;
  }
}

/** Remove a lock that was found stale; false when it is no longer that one. */
async function remove(folder: string, text: string): Promise<boolean> {
  const path = join(folder, LOCK_NAME);
  // Of several that try, one has the file then.
  const aside = `${path}.stale-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return false;
  }
  const isThat = (await readFile(aside, 'utf8').catch(() => '')) === text;
  if (isThat) await rm(aside, { force: true });
  else await rename(aside, path);
  return isThat;
}

/** Who holds a lock, in words for logs and refusals. */
export function ownerText(owner: LockOwner | undefined): string {
  if (!owner) return 'another server';
  return `another server (host ${owner.host}, process ${owner.pid}, since ${owner.since})`;
}
