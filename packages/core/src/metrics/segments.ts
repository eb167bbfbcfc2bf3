/** Groups of users with metrics of their own, because a mean over all users hides a group with bad results. */
/** A group of users. */
export interface Segment {
  readonly name: string;
  /** A text that describes the group with its bounds. */
  readonly description: string;
  /** True if a user with a history of `historySize` items belongs to the group. */
  readonly has: (historySize: number) => boolean;
}

/** Share of the users in each group: large enough that the interval of its mean is useful. */
const SHARE = 0.2;

/** New users and heavy users: those with the shortest and the longest histories, about a fifth of the users each. */
export function newAndHeavyUsers(historySizes: Int32Array): readonly Segment[] {
  const sizes = historySizes.slice().sort();
  if (sizes.length === 0) return [];
  const few = sizes[Math.floor(SHARE * (sizes.length - 1))]!;
  const many = Math.max(few + 1, sizes[Math.ceil((1 - SHARE) * (sizes.length - 1))]!);
  return [
    {
      name: 'new users',
      description: few === 0 ? 'no training items' : `at most ${items(few)}`,
      has: (size) => size <= few,
    },
    { name: 'heavy users', description: `at least ${items(many)}`, has: (size) => size >= many },
  ];
}

function items(count: number): string {
  return count === 1 ? '1 training item' : `${count} training items`;
}
