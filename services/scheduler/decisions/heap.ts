/** The highest first; of equals the one that `before` says. */
export type Heap<T> = {
  readonly size: number;
  peek(): T | undefined;
  pop(): T | undefined;
  push(item: T): void;
};

/** @param before whether `a` comes out before `b` */
export function heapOf<T>(items: readonly T[], before: (a: T, b: T) => boolean): Heap<T> {
  const held = [...items];
  const isBefore = (a: number, b: number): boolean => {
    const [one, other] = [held[a], held[b]];
    return one !== undefined && other !== undefined && before(one, other);
  };
  const swap = (a: number, b: number): void => {
    const [one, other] = [held[a], held[b]];
    if (one !== undefined && other !== undefined) [held[a], held[b]] = [other, one];
  };
  function sink(from: number): void {
    for (let at = from; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (left < held.length && isBefore(left, first)) first = left;
      if (right < held.length && isBefore(right, first)) first = right;
      if (first === at) return;
      swap(at, first);
      at = first;
    }
  }
  function rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isBefore(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  }
  for (let at = (held.length >> 1) - 1; at >= 0; at -= 1) sink(at);
  return {
    get size() {
      return held.length;
    },
    peek: () => held[0],
    pop() {
      const [first] = held;
      const last = held.pop();
      if (held.length > 0 && last !== undefined) {
        held[0] = last;
        sink(0);
      }
      return first;
    },
    push(item) {
      held.push(item);
      rise(held.length - 1);
    },
  };
}
