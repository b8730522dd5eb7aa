/** What an invariant of the simulated cluster is: one file in `invariants/`, found there. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Entry, Revision } from "../../libs/store/store.ts";
import { recordedState, type State } from "./state.ts";

/** What is true of the machines, whatever the state says. */
export type Scene = {
  /** Where a pod's containers run now. */
  readonly runsOn: (uid: string) => readonly string[];
  /** Whether they ever did. */
  readonly hasRun: (uid: string) => boolean;
  /** When heartbeats of a node's agent reached the wire, in milliseconds of the record's time. */
  readonly heartbeats: (node: string) => readonly number[];
  /** The same, of whichever agent has the name. */
  readonly anyHeartbeats: (node: string) => readonly number[];
  readonly nodes: readonly string[];
  /** When a transaction was asked for, and so decided. */
  readonly askedAtMs: (tx: string) => number | undefined;
};

/** Gives what is wrong with a transaction, or nothing. One follows one cluster. */
export type Checker = (state: State) => Iterable<string>;

export type Invariant = {
  readonly invariant: true;
  readonly name: string;
  readonly open: (scene: Scene) => Checker;
};

export const invariant = (name: string, open: Invariant["open"]): Invariant => ({
  invariant: true,
  name,
  open,
});

const folder = join(import.meta.dirname, "invariants");

/** Every invariant that a file of the folder exports. */
export async function allInvariants(): Promise<readonly Invariant[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts")).toSorted();
  const found: Invariant[] = [];
  for (const file of files) {
    const exports: unknown = await import(pathToFileURL(join(folder, file)).href);
    found.push(...Object.values(exports as Record<string, unknown>).filter(isInvariant)); // A module's namespace.
  }
  return found;
}

const isInvariant = (value: unknown): value is Invariant =>
  typeof value === "object" && value !== null && "invariant" in value && value.invariant === true;

export type Judge = {
  /** @returns what is wrong with the transaction that ends with the entry */
  see(entry: Entry): readonly string[];
  readonly state: State;
  /** A transaction ends there. */
  readonly isEnd: (revision: Revision) => boolean;
};

/** Follows the record and judges every transaction. */
export function judge(invariants: readonly Invariant[], scene: Scene): Judge {
  const record = recordedState();
  const ends = new Set<Revision>();
  const checkers = invariants.map(({ name, open }) => ({ name, check: open(scene) }));
  return {
    get state() {
      return record.now;
    },
    isEnd: (revision) => ends.has(revision),
    see(entry) {
      const state = record.take(entry);
      if (state === undefined) return [];
      ends.add(state.revision);
      return checkers.flatMap(({ name, check }) =>
        [...check(state)].map((wrong) => `${name} at ${state.revision}: ${wrong}`),
      );
    },
  };
}
