/**
 * The lock of a version's journal: the file `updates.lock` next to it names the server that appends. Without the file
 * no server does.
 *
 * The file holds its owner (host, process, start) as JSON. The owner updates the file's modification time every two
 * seconds. A lock is stale if its process ran on this machine and has ended. If this process cannot tell that, the lock
 * is stale when its time has not changed for 15 seconds by this process's own clock, or is ten minutes old. A stale
 * lock is renamed, checked again, and removed. An owner that was only held up notices before its next append that its
 * file was removed, and appends no more.
 *
 * Limit: on a network file system the lock is only as safe as that system's exclusive creation and renaming of files.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, type FileHandle, link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { livenessOf, type ProcessIdentity, thisProcess } from './process-identity.ts';

/** The name of the lock file in a version's folder. */
export const LOCK_NAME = 'updates.lock';

/** Time between two updates of the lock file's modification time by its owner. */
const HEARTBEAT_MS = 2_000;
/** Time without an update after which an owner counts as ended; it spans several updates even on a busy machine. */
const SILENT_MS = 15_000;
/**
 * Age at which a lock counts as stale at once, without observing its time; the clocks of two machines differ by less.
 */
const LONG_AGO_MS = 600_000;
/**
 * If the last check of the file is longer ago than this, the process was held up, and the file is checked before an
 * append.
 */
const TRUSTED_MS = 3 * HEARTBEAT_MS;

/** The owner of a lock. */
export interface LockOwner extends ProcessIdentity {
  owner: string;
  /** Time at which the lock was taken, in ISO 8601. */
  since: string;
}

/** The clocks and timers of a lock; tests replace them. */
export interface LockClock {
  /** Milliseconds of a clock that never runs backwards. */
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

  /** Whether another server has taken the lock over, as of the last check. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Set the path of the folder after it was renamed. */
  moved(folder: string): void {
    this.#folder = folder;
  }

  /** Whether this process may append. The file is checked if the process may have been held up. */
  async isHeld(): Promise<boolean> {
    if (this.#clock.monotonic() - this.#seenAt > TRUSTED_MS) await this.#beat();
    return !this.#isLost && !this.#isReleased;
  }

  /** Release the lock: the file is removed, unless another server has taken the lock over. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearInterval(this.#timer);
    const path = join(this.#folder, LOCK_NAME);
    try {
      const [own, there] = await Promise.all([this.#file.stat(), stat(path)]);
      if (own.ino === there.ino && own.dev === there.dev) await rm(path, { force: true });
    } catch {
      // The folder or the file no longer exists, so there is nothing to release.
    } finally {
      await this.#file.close().catch(() => undefined);
    }
  }

  async #beat(): Promise<void> {
    if (this.#isReleased || this.#isLost) return;
    try {
      // A link count of 0 means that another server has removed the file and taken the lock over.
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

/** The reason why a lock was not taken: its holder, or the system's error. */
export type NotLocked = { holder: LockOwner | undefined } | { refusal: NodeJS.ErrnoException };

/** Error codes of `link` on file systems without hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/** Give a file a second name; false if the file system has no hard links. Throws EEXIST when the name is taken. */
async function linked(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    if (NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Options of the locks of a server. */
export interface JournalLocksOptions {
  /** Called when a stale lock was taken over. */
  onTakeOver?: (folder: string, owner: LockOwner | undefined, why: string) => void;
  clock?: LockClock;
  self?: ProcessIdentity;
}

/** A lock of another process, as of its last observed change. */
interface Watched {
  text: string;
  mtimeMs: number;
  since: number;
}

/** Takes locks for one server, and observes the locks of other servers to detect whether their owners still run. */
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

  /** Take the lock of a version's folder; a stale lock is taken over. */
  async take(folder: string): Promise<JournalLock | NotLocked> {
    const lock = await this.#create(folder);
    if (lock instanceof JournalLock) return lock;
    if (lock.code !== 'EEXIST') return { refusal: lock };
    const found = await read(folder);
    // The owner has released the lock just now.
    if (!found) return this.#createOr(folder, undefined);
    const why = this.#whyStale(folder, found);
    if (why === undefined || !(await remove(folder, found.text))) return { holder: found.owner };
    const taken = await this.#createOr(folder, found.owner);
    if (taken instanceof JournalLock) this.#onTakeOver(folder, found.owner, why);
    return taken;
  }

  /** Whether a running server writes in a folder, as far as this can be told without waiting. */
  async isHeld(folder: string): Promise<boolean> {
    const found = await read(folder);
    return found !== undefined && this.#whyStale(folder, found) === undefined;
  }

  async #createOr(folder: string, holder: LockOwner | undefined): Promise<JournalLock | NotLocked> {
    const lock = await this.#create(folder);
    if (lock instanceof JournalLock) return lock;
    return lock.code === 'EEXIST' ? { holder } : { refusal: lock };
  }

  /**
   * The file gets its name only when it is complete, so that a process that is killed here leaves no lock without an
   * owner.
   */
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
    // Reading something other than a regular file, such as a FIFO, might never end.
    const text = entry.isFile() ? await readFile(path, 'utf8') : '';
    return { text, owner: parseOwner(text), mtimeMs };
  } catch {
    return undefined;
  }
}

/** The owner that a lock file's text names; undefined if the text is incomplete or not that of a lock. */
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

/** Remove a lock that was found stale; false if the file is no longer the same lock. */
async function remove(folder: string, text: string): Promise<boolean> {
  const path = join(folder, LOCK_NAME);
  // If several processes try this rename, only one gets the file.
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

/** The holder of a lock, as text for logs and error messages. */
export function ownerText(owner: LockOwner | undefined): string {
  if (!owner) return 'another server';
  return `another server (host ${owner.host}, process ${owner.pid}, since ${owner.since})`;
}
