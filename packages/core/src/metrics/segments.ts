/** Groups of users whose metrics are reported separately, because a mean over all users hides a group that a model serves badly. */
/** A group of users. */
export interface Segment {
  readonly name: string;
  /** In words, with its bounds. */
  readonly description: string;
  /** Whether a user with a history of so many items belongs to it. */
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
