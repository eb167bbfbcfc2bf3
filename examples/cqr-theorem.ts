/**
 * Checks the convergence theorem of the CQR paper by experiment: least squares, with the embedding sketched by k random
 * columns per step. Prints the measured excess loss next to (1 − k/d1)^i and the two bounds.
 *
 *   npm run example cqr-theorem
 */
import { Dense, denseCqr, rho } from 'shortlist/least-squares';
import { Generator } from 'shortlist/random';

const n = 625;
const d1 = 125;
const d2 = 5;
const k = 25;
const steps = 20;
const seeds = 3;

/** The kinds of matrices X. */
const worlds: Record<string, (generator: Generator) => Dense> = {
  'X independent': (generator) => Dense.normal(n, d1, generator),
  'X of rank 10 + 1e-2 noise': (generator) => {
    const x = new Dense(n, d1);
    const strong = Dense.normal(n, 10, generator);
    for (let column = 0; column < d1; column++) {
      const out = x.column(column);
      for (let j = 0; j < 10; j++) {
        const weight = generator.normal();
        strong.column(j).forEach((value, row) => {
          out[row] = out[row]! + weight * value;
        });
      }
      for (let row = 0; row < n; row++) out[row] = out[row]! + 1e-2 * generator.normal();
    }
    return x;
  },
};

function mean(makeX: (generator: Generator) => Dense, noise: 'normal' | 'smart' | 'half-smart'): number[] {
  const sum = new Array<number>(steps + 1).fill(0);
  for (let seed = 0; seed < seeds; seed++) {
    const generator = new Generator(seed);
    const x = makeX(generator);
    const y = Dense.normal(n, d2, generator);
    denseCqr(x, y, { noise, columns: k, steps, generator }).excess.forEach((value, i) => {
      sum[i] = sum[i]! + value / seeds;
    });
  }
  return sum;
}

const shown = [1, 2, 5, 10, 20];
const row = (name: string, excess: (i: number) => number): void =>
  console.log(name.padEnd(40) + shown.map((i) => excess(i).toFixed(4).padStart(9)).join(''));

console.log(`Excess loss / ‖X·T*‖² after i steps; n = ${n}, d1 = ${d1}, d2 = ${d2}, k = ${k}, ${seeds} seeds`);
console.log('i'.padEnd(40) + shown.map((i) => String(i).padStart(9)).join(''));
for (const [world, makeX] of Object.entries(worlds)) {
  for (const noise of ['normal', 'smart', 'half-smart'] as const) {
    const excess = mean(makeX, noise);
    row(`${world}, ${noise}`, (i) => excess[i]!);
  }
  const rate = rho(makeX(new Generator(0)));
  row(`  bound (1 − ρ)^(ik), ρ = ${rate.toPrecision(3)}`, (i) => (1 - rate) ** (i * k));
}
row('(1 − k/d1)^i, exact for half-smart', (i) => (1 - k / d1) ** i);
row('(1 − 1/d1)^(ik), bound for smart', (i) => (1 - 1 / d1) ** (i * k));
