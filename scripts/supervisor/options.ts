import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { addressIn } from "../../libs/model/address-range.ts";
import { hollowSchema, variableOf } from "../../services/node-agent/hollow/options.ts";
import { root } from "../tools/paths.ts";

const count = z.coerce.number().int().min(0).max(64);
const atLeastOne = count.min(1);
/** `10.244.3.0/16` is written `10.244.0.0/16`. */
const range = z.cidrv4().transform((cidr) => `${addressIn(cidr, 0)}/${cidr.split("/")[1]}`);

export const natsServersMax = 5;

const settings = z.object({
  ...hollowSchema.shape,
  /** Of the gateway; further gateways take the ports above it. */
  port: z.coerce.number().int().min(1).max(65_535).default(6443),
  /** Agents on the one engine, each with a share of its capacity. Not named: one, or none beside hollow ones. */
  nodes: count.optional(),
  apis: atLeastOne.default(1),
  controllers: atLeastOne.default(1),
  schedulers: atLeastOne.default(1),
  /** With 3 or 5 each keeps a copy of the state, and the cluster goes on while most of them live. */
  natsServers: z.coerce
    .number()
    .int()
    .min(1)
    .max(natsServersMax)
    .refine((servers) => servers % 2 === 1, "an odd number, so that most of them can agree")
    .default(1),
  fresh: z.boolean().default(false),
  demo: z.boolean().default(true),
  /** Where the cluster's state lives. */
  dir: z
    .string()
    .default(join(root, ".berth"))
    .transform((path) => resolve(path)),
  /** Not named: what the state has, or the default of a new cluster. */
  podCIDR: range.optional(),
  serviceCIDR: range.optional(),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Of the services too. */
  environment: z.record(z.string(), z.string()).default({}),
});
const schema = settings.transform(({ nodes, demo, ...others }) => ({
  ...others,
  nodes: nodes ?? (others.hollow > 0 ? 0 : 1),
  // Its pods are to answer, also those that a hollow node would get.
  demo: demo && others.hollow === 0,
}));
export type ClusterOptions = z.output<typeof schema>;

export class BadOptions extends Error {
  override readonly name = "BadOptions";
}

/** What is not named has its default. */
export const clusterOptions = (given: z.input<typeof schema> = {}): ClusterOptions =>
  schema.parse(given);

const texts = {
  port: "port",
  nodes: "nodes",
  apis: "apis",
  controllers: "controllers",
  schedulers: "schedulers",
  "nats-servers": "natsServers",
  dir: "dir",
  "pod-cidr": "podCIDR",
  "service-cidr": "serviceCIDR",
  "log-level": "logLevel",
  ...sameNames(hollowSchema.shape),
} as const satisfies Record<string, keyof ClusterOptions>;
const flags = {
  fresh: { fresh: true },
  "no-demo": { demo: false },
} as const;

/**
 * Options as arguments, such as `--pod-cidr 10.1.0.0/16`, else from the environment, such as
 * `BERTH_POD_CIDR=10.1.0.0/16`; flags are on there with `1` or `true`.
 *
 * @throws {BadOptions} that names the options at fault
 */
export function optionsFrom(argv: readonly string[], env: NodeJS.ProcessEnv): ClusterOptions {
  const named = { ...fromEnvironment(env), ...argumentsIn(argv) };
  const given: Partial<Record<keyof ClusterOptions, unknown>> = {};
  for (const [name, value] of Object.entries(named)) {
    if (isKey(texts, name)) given[texts[name]] = value;
    else if (isKey(flags, name) && value === true) Object.assign(given, flags[name]);
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => {
    const option = Object.entries(texts).find(([, key]) => key === path[0])?.[0];
    return `--${option ?? path.join(".")}: ${message}`;
  });
  throw new BadOptions(faults.join("; "));
}

type Named = Readonly<Record<string, string | boolean | undefined>>;

function argumentsIn(argv: readonly string[]): Named {
  const options = Object.fromEntries([
    ...Object.keys(texts).map((name) => [name, { type: "string" } as const] as const),
    ...Object.keys(flags).map((name) => [name, { type: "boolean" } as const] as const),
  ]);
  try {
    const { values } = parseArgs({ args: [...argv], options });
    return Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) =>
        Array.isArray(value) ? [] : [[name, value]],
      ),
    );
  } catch (error) {
    throw new BadOptions(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function fromEnvironment(env: NodeJS.ProcessEnv): Named {
  const said = (name: string) => env[variableOf(name)] ?? "";
  const set = (names: object) => Object.keys(names).filter((name) => said(name) !== "");
  return Object.fromEntries([
    ...set(texts).map((name) => [name, said(name)]),
    ...set(flags).map((name) => [name, isOn(name, said(name))]),
  ]);
}

function isOn(name: string, said: string): boolean {
  if (["1", "true"].includes(said)) return true;
  if (["0", "false"].includes(said)) return false;
  throw new BadOptions(`--${name}: in the environment it is 1, true, 0 or false, not "${said}"`);
}

const isKey = <T extends object>(table: T, name: string): name is keyof T & string =>
  Object.hasOwn(table, name);

function sameNames<T extends object>(table: T): { readonly [Name in keyof T]: Name } {
  // What it says of every key is that key.
  return Object.fromEntries(Object.keys(table).map((name) => [name, name])) as {
    [Name in keyof T]: Name;
  };
}
