/** The program of a worker thread: it waits for a job in the control block, helps to run it, and waits again. */
import { assert } from '../checks/assert.ts';
import type { SegmentedSearchKernel } from '../kernels/segments/search-segments.ts';
import type { KernelMemory } from '../kernels/segments/segment.ts';
import { wasmKernels } from '../kernels/wasm.ts';
import type { LinearMemory } from '../memory/linear-memory.ts';
import {
  COMPOSED,
  CONTROL,
  controlArguments,
  controlIntegers,
  currentTeam,
  type ItemsKernel,
  joinTeam,
  runItems,
  SPINS_MAX,
} from './control.ts';

/** The message that the main thread sends once, when the worker starts. */
export interface WorkerStart {
  /** The memories of the team, by number; the first has the control block. */
  memories: readonly (WebAssembly.Memory | undefined)[];
  /** The sets of kernels. */
  modules: readonly WebAssembly.Module[];
  /** The kernels by number. */
  names: readonly string[];
  slot: number;
  team: number;
}

/** A memory with its kernels, and with views where the program has them. */
type Bound = Pick<KernelMemory, 'kernels'> & { memory: LinearMemory | undefined };

/** The parts of a program that searches several memories; kernels of one memory need no views of it. */
export interface SegmentedProgram {
  search: SegmentedSearchKernel;
  viewsOf: (memory: WebAssembly.Memory) => LinearMemory;
}

/**
 * Work on jobs until the process ends or another team is current.
 *
 * @param segmented the search over several memories, where the program has it
 */
export function serve({ memories, modules, names, slot, team }: WorkerStart, segmented?: SegmentedProgram): void {
  const [control] = memories as [WebAssembly.Memory];
  const integers = controlIntegers(control);
  const values = controlArguments(control);
  const bound: Bound[] = [];
  /** A memory with its kernels; instances are made at the first job. */
  const memoryOf = (number: number): Bound => {
    const known = bound[number];
    if (known) return known;
    const shared = memories[number];
    assert(shared !== undefined, `worker: memory ${number} has left`);
    const tables = modules.map((module) => wasmKernels(module, shared));
    bound[number] = { memory: segmented?.viewsOf(shared), kernels: Object.assign({}, ...tables) };
    return bound[number];
  };
  const search = segmented?.search.bind(undefined, memoryOf as (number: number) => KernelMemory) as ItemsKernel;
  memoryOf(0);
  let seen = Atomics.load(integers, CONTROL.generation);
  let isServing = joinTeam(integers, team);
  while (isServing) {
    for (let spins = 0; spins < SPINS_MAX && Atomics.load(integers, CONTROL.generation) === seen; spins++);
    Atomics.wait(integers, CONTROL.generation, seen);
    seen = Atomics.load(integers, CONTROL.generation);
    Atomics.add(integers, CONTROL.active, 1);
    isServing = currentTeam(integers) === team;
    if (isServing && Atomics.load(integers, CONTROL.open) === seen) {
      try {
        const memory = integers[CONTROL.memory]!;
        const name = names[integers[CONTROL.kernel]!] as keyof KernelMemory['kernels'];
        const call = memory === COMPOSED ? search : (memoryOf(memory).kernels[name] as ItemsKernel);
        runItems(integers, call, slot, Array.from(values.subarray(0, integers[CONTROL.argumentCount]!)));
      } catch {
        Atomics.store(integers, CONTROL.failed, 1);
      }
    }
    if (Atomics.sub(integers, CONTROL.active, 1) === 1) Atomics.notify(integers, CONTROL.active);
    Atomics.add(integers, CONTROL.left, 1);
    Atomics.notify(integers, CONTROL.left);
  }
}
