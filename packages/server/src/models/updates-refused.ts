/** The refusal of an update or a compaction of a version to whose journal this server does not append. */
import { ServingError } from '../status/serving-error.ts';
import type { VersionRecord } from './version-record.ts';

/** Seconds after which a client may retry where the reason may have passed by then. */
const RETRY_S = 1;

/** UNAVAILABLE where the reason may pass soon, else FAILED_PRECONDITION. `model` is the name of the model. */
export function updatesRefused(model: string, { foreign }: Pick<VersionRecord, 'foreign'>): ServingError {
  if (!foreign)
    return new ServingError('FAILED_PRECONDITION', `Model ${model} accepts no updates: it is a file, not a folder`);
  const { isLocked, isFull = false, reason } = foreign.refused;
  const where = isLocked ? ' here' : '';
  const message = `Model ${model} accepts no updates${where}: ${reason}`;
  // Another server releases its lock when it ends, as in a rolling restart; a full disk gets room.
  if (isLocked || isFull) return new ServingError('UNAVAILABLE', message, { retryAfterS: RETRY_S });
  return new ServingError('FAILED_PRECONDITION', message);
}
