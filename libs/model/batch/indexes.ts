/** Completion indexes as a Job's status and its success policy write them: `1,3-5,7`. */

type Range = readonly [first: number, last: number];
/** Sorted ranges that neither touch nor overlap: as small as the text, whatever it covers. */
export type Indexes = readonly Range[];

export const noIndexes: Indexes = [];

/** Undefined when the text is no list of rising indexes. */
export function parseIndexes(text: string): Indexes | undefined {
  if (text === "") return noIndexes;
  const ranges: Range[] = [];
  for (const part of text.split(",")) {
    const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    const isRising = first > (ranges.at(-1)?.[1] ?? -1) && (match[2] === undefined || last > first);
    if (!isRising) return undefined;
    ranges.push([first, last]);
  }
  return joined(ranges);
}

/** Two neighbours are written apart, as Kubernetes does: `0,1`, but `0-2`. */
export const indexesText = (indexes: Indexes): string =>
  indexes
    .map(([first, last]) => {
      if (first === last) return String(first);
      return last === first + 1 ? `${first},${last}` : `${first}-${last}`;
    })
    .join(",");

export const sizeOf = (indexes: Indexes): number =>
  indexes.reduce((sum, [first, last]) => sum + last - first + 1, 0);

export function hasIndex(indexes: Indexes, index: number): boolean {
  let [low, high] = [0, indexes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((indexes[middle]?.[1] ?? 0) < index) low = middle + 1;
    else high = middle;
  }
  const found = indexes[low];
  return found !== undefined && found[0] <= index;
}

export const withIndexes = (indexes: Indexes, more: Iterable<number>): Indexes =>
  joined([...indexes, ...Array.from(more, (index): Range => [index, index])]);

export const union = (some: Indexes, others: Indexes): Indexes => joined([...some, ...others]);

/** Those of `indexes` that are less than `limit`. */
export const below = (indexes: Indexes, limit: number): Indexes =>
  indexes.flatMap(([first, last]): Range[] =>
    first >= limit ? [] : [[first, Math.min(last, limit - 1)]],
  );

/** How many are in both. */
export function sizeInBoth(some: Indexes, others: Indexes): number {
  let [size, at] = [0, 0];
  for (const [first, last] of some) {
    while ((others[at]?.[1] ?? Infinity) < first) at += 1;
    for (let next = at; (others[next]?.[0] ?? Infinity) <= last; next += 1) {
      const [from, to] = others[next] ?? [0, -1];
      size += Math.min(last, to) - Math.max(first, from) + 1;
    }
  }
  return size;
}

/** The lowest `count` indexes below `limit` that are not in `indexes`. */
export function firstMissing(indexes: Indexes, limit: number, count: number): readonly number[] {
  const missing: number[] = [];
  let next = 0;
  for (const [first, last] of [...indexes, [limit, limit] as const]) {
    for (; next < Math.min(first, limit) && missing.length < count; next += 1) missing.push(next);
    next = Math.max(next, last + 1);
    if (missing.length >= count) break;
  }
  return missing;
}

function joined(ranges: readonly Range[]): Indexes {
  const whole: Range[] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = whole.at(-1);
    if (before === undefined || before[1] + 1 < first) whole.push([first, last]);
    else whole[whole.length - 1] = [before[0], Math.max(before[1], last)];
  }
  return whole;
}
