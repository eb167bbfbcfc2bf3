/** Describes interactions that were read in lines of text, which every command prints before its work starts. */
import { checkArgument } from 'shortlist/options';
import { dateText } from '../columns/time.ts';
import type { Roles } from '../inference/roles.ts';
import type { InteractionQuality } from './quality.ts';
import { type InferredColumns, READ, type ReadInteractions } from './read-interactions.ts';

const count = (value: number): string => value.toLocaleString('en-US');
const plural = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? '' : 's'}`;

/** Three lines: the files, the columns, the quality. */
export function describeInteractions(read: ReadInteractions): string[] {
  const { inferred, quality } = checkArgument('interactions', read, READ);
  return [filesLine(inferred), columnsLine(inferred, quality), qualityLine(quality)];
}

/** Further lines: notes on guesses, and the first broken rows with their line numbers. */
export function describeFindings(read: ReadInteractions): string[] {
  const { inferred, quality } = checkArgument('interactions', read, READ);
  const rows = quality.firstBroken.map(({ path, line, reason }) => `${path}:${line}: left out: ${reason}`);
  const more = quality.broken - quality.firstBroken.length;
  if (more > 0) rows.push(`and ${plural(more, 'more row')} left out`);
  return [...inferred.notes, ...rows];
}

function filesLine({ files, counts }: InferredColumns): string {
  const descriptions = new Set(files.map(({ description }) => description));
  const names = files.map(({ path }) => path).join(' + ');
  return `${names}: ${[...descriptions].join('; ')}, ${plural(counts.rows, 'row')}`;
}

function columnsLine(
  { files, feedback, like, isLikeProposed, counts }: InferredColumns,
  quality: InteractionQuality,
): string {
  const { roles } = files[0]!;
  const parts = [
    `user = ${shown(roles.user)} (${plural(quality.users, 'user')})`,
    `item = ${shown(roles.item)} (${plural(quality.items, 'item')})`,
    ...(roles.value ? [`value = ${shown(roles.value)}, ${feedback} feedback`] : ['implicit feedback']),
    ...(roles.weight ? [`weight = ${shown(roles.weight)}`] : []),
    ...(roles.time ? [`time = ${shown(roles.time)}${timeText(quality, [...counts.timeUnits.keys()])}`] : ['no time']),
  ];
  if (like !== undefined)
    parts.push(`likes are ${like}${isLikeProposed ? ' (inferred)' : `: ${plural(counts.liked, 'row')}`}`);
  return parts.join(', ');
}

function shown({ name, reason }: Roles['user']): string {
  return reason === 'by name' ? name : `${name} (${reason})`;
}

function timeText({ firstTime, lastTime }: InteractionQuality, units: readonly string[]): string {
  if (firstTime === undefined || lastTime === undefined) return '';
  if (units.length === 0) return ': the position in the line';
  return `, ${units.join(' and ')}, ${dateText(firstTime)} to ${dateText(lastTime)}`;
}

function qualityLine(quality: InteractionQuality): string {
  const { duplicates, usersWithOneRow, itemsWithOneRow, broken } = quality;
  return [
    duplicates === 0 ? 'no duplicates' : `${plural(duplicates, 'duplicate')} (the same user and item)`,
    `${plural(usersWithOneRow, 'user')} and ${plural(itemsWithOneRow, 'item')} with only one row`,
    broken === 0 ? 'no broken rows' : `${plural(broken, 'broken row')} left out`,
  ].join(', ');
}
