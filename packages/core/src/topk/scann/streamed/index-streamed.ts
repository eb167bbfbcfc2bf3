/** Indexes a data set that is read twice. It is no method of ScaNN, so that a bundler can leave it out. */
import { checkArgument } from '../../../checks/arguments.ts';
import { FUNCTION, NUMBER, objectWith, optionsCheck, required } from '../../../checks/options.ts';
import { LONG_CHANGE } from '../../call-options.ts';
import type { CandidateSequence, Identifier } from '../../contract.ts';
import type { ScaNN } from '../scann.ts';
import { buildStreamed } from './build-streamed.ts';
import type { StreamedBuild } from './partition-dataset.ts';

const checkOptions = optionsCheck<StreamedBuild>('indexStreamed', {
  ...LONG_CHANGE,
  runs: required(objectWith('a store of runs', 'append', 'read', 'replace', 'truncate', 'sizeOf', 'clear', 'lock')),
  memoryBytes: NUMBER,
});

/**
 * Replace the candidates of an index by those of a data set that is read twice, so that they are never all in memory as
 * float32. A sample (`trainingSampleSize`, at least 50 rows for each leaf) trains leaves and codebooks; if it holds all
 * candidates, the result is the same as that of `index`. The second pass writes the candidates to runs, one for each
 * segment, from which the segments are built one after another. If `runs` outlives the process (`fileRuns` of
 * `shortlist/node`), a build that was killed continues after the last records that were written, and the index has the
 * same bytes. The finished segments and the identifiers are in memory. With `soar` each candidate has two leaves, as in `index`; one whose leaves
 * are in different segments is in both.
 *
 * @param dataset called once for each pass; its candidates are the same each time
 * @throws {StateError} while another build uses the runs; when the second pass reads other candidates than the first,
 * and then the runs are removed
 * @throws {MemoryError} when `memoryBytes` is too small for the sample, naming the least that would do, before anything
 * is trained
 * @throws {OptionError} when an option is unknown or out of range
 * @throws {ShapeError} when rows differ in width, or there are none
 * @throws {NotFiniteError} naming row and column of a NaN or an infinity
 * @throws {AbortedError} when the signal is raised. After any error the index is as before
 */
export async function indexStreamed<Q, I extends Identifier>(
  index: ScaNN<Q, I>,
  dataset: () => CandidateSequence<I> | Promise<CandidateSequence<I>>,
  options: StreamedBuild,
): Promise<ScaNN<Q, I>> {
  checkArgument('index', index, objectWith('a ScaNN index', 'replaceBuilt'));
  checkArgument('dataset', dataset, FUNCTION);
  const checked = checkOptions(options);
  const read = async (): Promise<CandidateSequence<I>> => dataset();
  await index.replaceBuilt('indexStreamed', checked.signal, async (settings) => {
    const release = await checked.runs.lock();
    try {
      return await buildStreamed(read, settings, checked, index.runtime);
    } finally {
      await release();
    }
  });
  return index;
}
