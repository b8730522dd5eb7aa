/** Runs one at a time, in the order asked; one that fails does not keep the next. */
export type InTurn = <T>(run: () => Promise<T>) => Promise<T>;

export function inTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const next = last.then(run, run);
    last = next.catch(() => undefined); // The asker of that one was told.
    return next;
  };
}
