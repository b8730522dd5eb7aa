/** A ReplicaSet of a Deployment in numbers, at the cut: all that planning its size needs. */
export type SetSize = {
  readonly name: string;
  /** Its template is the Deployment's own. */
  readonly isNew: boolean;
  /** `spec.replicas`. */
  readonly replicas: number;
  /** Pods that nobody deleted and that have not ended. */
  readonly live: number;
  readonly available: number;
  readonly createdMs: number;
  /** What the Deployment wanted when it last set this size; undefined: it never did. */
  readonly desiredThen: number | undefined;
  /** The most pods that it allowed then. */
  readonly maxThen: number | undefined;
};

/** The size that each set is to have, by name; what is not named keeps its size. */
export type Plan = ReadonlyMap<string, number>;

/** O2: a set that was lowered still has its pods, and one that was raised will have them. */
export const counted = ({ replicas, live }: SetSize): number => Math.max(replicas, live);

/**
 * The pods of a set that are available and will stay: those above its size are about to be deleted,
 * unavailable ones first.
 */
export const staying = ({ replicas, available }: SetSize): number => Math.min(available, replicas);

export const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

export const isActive = ({ replicas }: SetSize): boolean => replicas > 0;

export const oldestFirst = (sets: readonly SetSize[]): readonly SetSize[] =>
  sets.toSorted((a, b) => a.createdMs - b.createdMs || (a.name < b.name ? -1 : 1));
