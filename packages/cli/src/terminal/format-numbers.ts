/** Formats numbers, durations, sizes and tables for people. */

/** 0.0123 ms → '12.3 µs', 83 → '83 ms', 8.3e4 → '1 min 23 s'. */
export function duration(milliseconds: number): string {
  if (milliseconds < 0.9995) return `${significant(milliseconds * 1000)} µs`;
  if (milliseconds < 999.5) return `${significant(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${significant(milliseconds / 1000)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** 1,234,567 → '1.18 MiB'. */
export function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${count} bytes` : `${significant(value)} ${units[unit]}`;
}

/** 1683682 → '1,683,682'. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 1 → '1 user', 1683 → '1,683 users'. */
export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`;
}

/** Three significant digits, no exponent. */
export function significant(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** The lines of a table. The first column is aligned to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
