/** Callbacks that may be taken back. */
export type Listeners<T extends readonly unknown[]> = {
  add(listener: (...facts: T) => void): Disposable;
  call(...facts: T): void;
};

export function listeners<T extends readonly unknown[]>(): Listeners<T> {
  const all = new Set<{ readonly listener: (...facts: T) => void }>();
  return {
    add(listener) {
      const entry = { listener };
      all.add(entry);
      return { [Symbol.dispose]: () => void all.delete(entry) };
    },
    call(...facts) {
      for (const { listener } of all) listener(...facts);
    },
  };
}
