/** How many of something there may be in all, and for each of those who ask. */
export type Places = {
  readonly taken: () => number;
  /** A place, which its disposal gives back; undefined when all are taken. */
  take(client: string): Disposable | undefined;
};

export function places({
  max,
  perClientMax,
}: {
  readonly max: number;
  readonly perClientMax: number;
}): Places {
  let taken = 0;
  const byClient = new Map<string, number>();
  return {
    taken: () => taken,
    take(client) {
      const own = byClient.get(client) ?? 0;
      if (taken >= max || own >= perClientMax) return undefined;
      taken += 1;
      byClient.set(client, own + 1);
      let given = false;
      return {
        [Symbol.dispose]() {
          if (given) return;
          given = true;
          taken -= 1;
          const rest = (byClient.get(client) ?? 1) - 1;
          if (rest === 0) byClient.delete(client);
          else byClient.set(client, rest);
        },
      };
    },
  };
}
