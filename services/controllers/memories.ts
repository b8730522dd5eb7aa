/** What an instance remembers of objects between their turns here (`Decision.remember`). */
export type Memories = {
  get(name: string): unknown;
  set(name: string, memory: unknown): void;
  delete(name: string): void;
};

/** Remembers of so many; of more the one that was looked at longest ago is forgotten. */
export function memoriesOf(max: number): Memories {
  const held = new Map<string, unknown>();
  return {
    get: (name) => held.get(name),
    set(name, memory) {
      held.delete(name); // To the end.
      held.set(name, memory);
      const [oldest] = held.keys();
      if (held.size > max && oldest !== undefined) held.delete(oldest);
    },
    delete: (name) => void held.delete(name),
  };
}
