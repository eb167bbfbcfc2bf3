/**
 * Followers: other processes that serve the same versions of a model, each from its own copy.
 *
 * A follower opens a version before any request can see that version, and applies an update before the update is
 * acknowledged. So a query sees every update that was acknowledged before the query was sent, whatever process answers
 * it. A follower that fails is ended: the promises of its methods resolve when the work is done or the follower has
 * ended. Only `open` rejects; the version then serves in no process.
 */
import type { Update } from '../servable/contract.ts';

/** A version to be followed. */
export interface FollowedVersion {
  version: number;
  /** Its folder, or its bundle file. */
  path: string;
  /** Fingerprint of the files that were loaded; undefined while compaction writes the version. */
  fingerprint?: string;
  /** Bytes of its journal that hold updates already applied; 0 for none. */
  journalBytes: number;
  /** Whether another version serves at the same time and needs the cores. */
  isBeside: boolean;
}

/** The versions and labels of a model that requests can name. */
export interface ShownVersions {
  versions: readonly number[];
  labels: ReadonlyMap<string, number>;
}

/** One other process. */
export interface Follower {
  /**
   * Load a version that does not serve yet. A second call applies what its journal has gained since.
   *
   * @throws {Error} when it cannot
   */
  open(model: string, version: FollowedVersion): Promise<void>;
  /** Forget a version that was opened and will not serve. */
  drop(model: string, version: number): void;
  /** Serve these versions, which were opened, and no others. */
  show(model: string, shown: ShownVersions): Promise<void>;
  /** Apply updates after those of all earlier calls. */
  apply(model: string, version: number, updates: readonly Update[]): Promise<void>;
}

/** The followers of one model. */
export class Followers {
  readonly #model: string;
  readonly #all = new Set<Follower>();
  #shown: Promise<void> = Promise.resolve();

  constructor(model: string) {
    this.#model = model;
  }

  /** Add a follower, which already serves the present versions. */
  add(follower: Follower): void {
    this.#all.add(follower);
  }

  /** Remove a follower. */
  delete(follower: Follower): void {
    this.#all.delete(follower);
  }

  /** Resolves when every follower has loaded the version and applied its updates. @throws {Error} when one cannot */
  async open(version: FollowedVersion): Promise<void> {
    const opened = await Promise.allSettled([...this.#all].map((follower) => follower.open(this.#model, version)));
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
  }

  drop(version: number): void {
    for (const follower of this.#all) follower.drop(this.#model, version);
  }

  show(shown: ShownVersions): void {
    if (this.#all.size === 0) return;
    const told = [...this.#all].map((follower) => follower.show(this.#model, shown));
    this.#shown = Promise.all([this.#shown, ...told]).then(() => undefined);
  }

  /** Resolves when every follower serves the versions that the last call of `show` named. */
  shown(): Promise<void> {
    return this.#shown;
  }

  /** Resolves when every follower has applied the updates; undefined if there is no follower. */
  apply(version: number, updates: readonly Update[]): Promise<unknown> | undefined {
    if (this.#all.size === 0) return undefined;
    return Promise.all([...this.#all].map((follower) => follower.apply(this.#model, version, updates)));
  }
}
