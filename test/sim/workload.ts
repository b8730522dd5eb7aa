/** What users of a simulated cluster do: one file in `workloads/` for each kind of it, found there. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Random } from "../../libs/telemetry/random.ts";
import type { State } from "./state.ts";
import { home, type User } from "./user.ts";

/** Something that a user does, all chance in it drawn: it can be left out, and the rest done again. */
export type Act = {
  readonly what: string;
  readonly run: (user: User) => Promise<void>;
};

export type Workload = {
  readonly workload: true;
  readonly name: string;
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  readonly draw: (chance: Chance) => Act;
  /** What a user does when the mishaps have ended, so that everything can come to rest. */
  readonly calm?: (user: User) => Promise<void>;
  /** What is not yet as it was asked for. */
  readonly unfinished?: (state: State) => Iterable<string>;
};

export const workload = (of: Omit<Workload, "workload">): Workload => ({ workload: true, ...of });

export type Chance = {
  pick<const A extends readonly [unknown, ...unknown[]]>(all: A): A[number];
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  is(share: number): boolean;
};

export function chanceOf(random: Random): Chance {
  const between = (least: number, most: number) =>
    least + Math.floor(random.next() * (most - least + 1));
  return {
    between,
    pick: (all) => all[between(0, all.length - 1)] ?? all[0],
    is: (share) => random.next() < share,
  };
}

const folder = join(import.meta.dirname, "workloads");

/** Every workload that a file of the folder exports. */
export async function allWorkloads(): Promise<readonly Workload[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts")).toSorted();
  const found: Workload[] = [];
  for (const file of files) {
    const exports: unknown = await import(pathToFileURL(join(folder, file)).href);
    found.push(...Object.values(exports as Record<string, unknown>).filter(isWorkload)); // A module's namespace.
  }
  return found;
}

const isWorkload = (value: unknown): value is Workload =>
  typeof value === "object" && value !== null && "workload" in value && value.workload === true;

/** Where most things are; the other namespace comes and goes. */
export const namespaceOf = (chance: Chance): string => (chance.is(0.18) ? other : home);
export const other = "team";

/** Nodes that are kept through the API: no machine of the simulation has such a name. */
export const keptNodes = ["k1", "k2"] as const;
/** What their kubelets write; nobody else does. */
export const kubeletReady = "KubeletReady";

/** A template of one container, which asks for `cpu`. */
export const templateOf = (
  app: string,
  { image, cpu, restartPolicy }: { image: string; cpu: string; restartPolicy?: "Never" },
) => ({
  metadata: { labels: { app } },
  spec: {
    ...(restartPolicy !== undefined && { restartPolicy }),
    containers: [{ name: "main", image, resources: { requests: { cpu } } }],
  },
});

type Templated = {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly object[] } };
  };
};

/** The same with another image: a new revision, or an old one again. */
export function withImage<T extends Templated>(object: T, image: string): T {
  const { template } = object.spec;
  const [first] = template.spec.containers;
  const spec = { ...template.spec, containers: [{ ...first, image }] };
  return { ...object, spec: { ...object.spec, template: { ...template, spec } } };
}
