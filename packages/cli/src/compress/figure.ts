/**
 * The results as a chart: the main metric against parameters and against bytes, both on logarithmic axes, with one line for
 * each method and a dashed horizontal line for the full table. The chart is an SVG text made without a library.
 */
import type { Summary } from './summary.ts';

const PANEL = { width: 460, height: 360, left: 64, top: 48 };
const GAP = 40;
const LEGEND = 190;
/** The colours of Okabe and Ito, which colour-blind readers can tell apart. Further methods have the same colours, dashed. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const TICKS_Y = 5;

/** An SVG document. */
export function figure(summaries: readonly Summary[], main: string, title: string): string {
  const drawn = summaries.filter(({ refused }) => refused === undefined);
  const methods = [...new Set(drawn.map(({ method }) => method))].filter((method) => method !== 'full');
  const values = drawn.map(({ figures }) => figures[main]!);
  const [low, high] = widened(Math.min(...values), Math.max(...values));
  const y = (value: number): number => PANEL.top + PANEL.height * (1 - (value - low) / (high - low));
  const panels = (['parameters', 'bytes'] as const).map((axis, i) => {
    const left = PANEL.left + i * (PANEL.width + GAP + PANEL.left);
    return panel(drawn, methods, { axis, left, y, low, high, main });
  });
  const legendX = PANEL.left + 2 * (PANEL.width + GAP) + PANEL.left;
  const legend = methods.map((method, i) => {
    const top = PANEL.top + 10 + 20 * i;
    return `<line x1="${legendX}" x2="${legendX + 26}" y1="${top}" y2="${top}" ${stroke(i)}/>${text(legendX + 34, top + 4, method)}`;
  });
  const [width, height] = [legendX + LEGEND, PANEL.top + PANEL.height + 60];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    text(PANEL.left, 24, title, 'font-size="15"'),
    ...panels,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

interface PanelOptions {
  axis: 'parameters' | 'bytes';
  left: number;
  y: (value: number) => number;
  low: number;
  high: number;
  main: string;
}

function panel(
  drawn: readonly Summary[],
  methods: readonly string[],
  { axis, left, y, low, high, main }: PanelOptions,
): string {
  const logs = drawn.map((summary) => Math.log10(summary[axis]));
  const [from, to] = widened(Math.min(...logs), Math.max(...logs));
  const x = (value: number): number => left + (PANEL.width * (Math.log10(value) - from)) / (to - from);
  const bottom = PANEL.top + PANEL.height;
  const parts = [
    `<rect x="${left}" y="${PANEL.top}" width="${PANEL.width}" height="${PANEL.height}" fill="none" stroke="#888"/>`,
  ];
  for (let power = Math.ceil(from); power <= to; power++) {
    const at = fixed(x(10 ** power));
    parts.push(`<line x1="${at}" x2="${at}" y1="${PANEL.top}" y2="${bottom}" stroke="#ddd"/>`);
    parts.push(text(Number(at), bottom + 18, `1e${power}`, 'text-anchor="middle"'));
  }
  for (let tick = 0; tick <= TICKS_Y; tick++) {
    const value = low + ((high - low) * tick) / TICKS_Y;
    parts.push(text(left - 6, y(value) + 4, value.toFixed(3), 'text-anchor="end"'));
  }
  parts.push(text(left + PANEL.width / 2, bottom + 38, `${main} against ${axis}`, 'text-anchor="middle"'));
  const full = drawn.find(({ method }) => method === 'full');
  if (full) {
    const level = fixed(y(full.figures[main]!));
    parts.push(
      `<line x1="${left}" x2="${left + PANEL.width}" y1="${level}" y2="${level}" stroke="#888" stroke-dasharray="2 4"/>`,
    );
    parts.push(text(left + 6, Number(level) - 5, 'full'));
  }
  methods.forEach((method, i) => {
    const points = drawn
      .filter((summary) => summary.method === method)
      .sort((a, b) => a[axis] - b[axis])
      .map((summary) => `${fixed(x(summary[axis]))},${fixed(y(summary.figures[main]!))}`);
    parts.push(`<polyline points="${points.join(' ')}" fill="none" ${stroke(i)}/>`);
  });
  return parts.join('\n');
}

function stroke(i: number): string {
  const dash = i >= COLOURS.length ? ' stroke-dasharray="6 3"' : '';
  return `stroke="${COLOURS[i % COLOURS.length]}" stroke-width="2"${dash}`;
}

function text(x: number, y: number, words: string, attributes = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escaped}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

/** A range with a margin, never empty. */
function widened(low: number, high: number): [number, number] {
  const margin = Math.max((high - low) * 0.05, 1e-3);
  return [low - margin, high + margin];
}
