/**
 * The layers of towers: products of matrices beside NumPy's, and a step of a tower with dense layers beside Keras's.
 *
 *   npm run bench:layers [-- --json]
 *
 * Products are measured on this Node, and on Node 24 where bench/peers/setup.sh installed it. The peers are in the
 * environment tfrs.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { interleave } from '../harness/interleave.ts';
import { missing, Peer, programOf } from '../harness/peer.ts';
import { finish, type Requirement, type Row, row } from '../harness/rows.ts';
import { BATCH, DIMENSIONS, denseSteps, FEATURES, UNITS, WORDS } from './dense-step.ts';
import { measureProducts, type ProductFigures } from './products.ts';

const SIZES = [256, 512] as const;
const STEP_ROUNDS = 7;
const ABSENT = 'not installed';

const products = process.argv.indexOf('--products');
if (products > 0) {
  console.log(JSON.stringify(await measureProducts(Number(process.argv[products + 1]), null)));
} else {
  const peer = Peer.start('keras');
  const rows: Row[] = [];
  for (const size of SIZES) rows.push(...(await productRows(size, peer)));
  rows.push(await stepRow(peer));
  await peer?.close();
  finish('layers', rows);
}

async function productRows(size: number, peer: Peer | null): Promise<Row[]> {
  const theirs = peer && (() => peer.requestNumber({ do: 'product', size }, 'gflops'));
  const figures = await measureProducts(size, theirs);
  const others = { numpy: figures.peer?.median ?? ABSENT };
  const here = rowsOf(size, figures, others);
  const reason = missing('shortlist-node24');
  if (reason !== null || figures.variant === 'relaxed') return here;
  const program = programOf('shortlist-node24');
  const output = execFileSync(program, [fileURLToPath(import.meta.url), '--products', `${size}`], { encoding: 'utf8' });
  return [...here, ...rowsOf(size, JSON.parse(output) as ProductFigures, others)];
}

function rowsOf(size: number, figures: ProductFigures, others: Record<string, number | string>): Row[] {
  const { variant, exact, fused, exactError, fusedError } = figures;
  const isRelaxed = variant === 'relaxed';
  const rowOf = (kind: string, measured: typeof exact, error: number, required: Requirement): Row =>
    row({
      work: `product ${size}³, one core, ${variant}${kind}`,
      ours: measured.median,
      peer: null,
      unit: 'GFLOP/s',
      required,
      quality: { best: measured.highest, 'largest error against float64': error, ...others },
    });
  const plain = rowOf('', exact, exactError, isRelaxed ? { none: true } : { atLeast: 32 });
  return isRelaxed ? [plain, rowOf(', fused terms', fused, fusedError, { atLeast: 45 })] : [plain];
}

async function stepRow(peer: Peer | null): Promise<Row> {
  const sizes = { batch: BATCH, features: FEATURES, dimensions: DIMENSIONS, units: UNITS, words: WORDS };
  if (peer) await peer.request({ do: 'model', ...sizes });
  const theirs = peer && (() => peer.requestNumber({ do: 'steps' }, 'seconds'));
  const { ours, peer: measured } = await interleave(denseSteps(), theirs, STEP_ROUNDS, 2);
  return row({
    work: `a step of ${BATCH} rows, ${FEATURES} features of ${DIMENSIONS}, dense layers of ${UNITS.join(' and ')}`,
    ours: ours.median,
    peer: measured?.median ?? ABSENT,
    unit: 's',
    required: { ratio: 1 },
    quality: { lowest: ours.lowest, "lowest of the peer's": measured?.lowest ?? ABSENT },
  });
}
