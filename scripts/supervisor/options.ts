import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { root } from "../tools/paths.ts";

const count = z.coerce.number().int().min(0).max(64);
const atLeastOne = count.min(1);

const schema = z.object({
  /** Of the gateway; further gateways take the ports above it. */
  port: z.coerce.number().int().min(1).max(65_535).default(6443),
  /** Agents on the one engine, each with a share of its capacity. */
  nodes: count.default(1),
  apis: atLeastOne.default(1),
  controllers: atLeastOne.default(1),
  schedulers: atLeastOne.default(1),
  fresh: z.boolean().default(false),
  demo: z.boolean().default(true),
  /** Where the cluster's state lives. */
  dir: z
    .string()
    .default(join(root, ".berth"))
    .transform((path) => resolve(path)),
  podCIDR: z.cidrv4().default("10.244.0.0/16"),
  serviceCIDR: z.cidrv4().default("10.96.0.0/16"),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Of the services too. */
  environment: z.record(z.string(), z.string()).default({}),
});
export type ClusterOptions = z.output<typeof schema>;

/** What is not named has its default. */
export const clusterOptions = (given: z.input<typeof schema> = {}): ClusterOptions =>
  schema.parse(given);

/** @throws {Error} that names the option at fault */
export function optionsFromArguments(argv: readonly string[]): ClusterOptions {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: text,
      nodes: text,
      apis: text,
      controllers: text,
      schedulers: text,
      fresh: flag,
      "no-demo": flag,
      dir: text,
      "pod-cidr": text,
      "service-cidr": text,
    },
  });
  const { "no-demo": noDemo, "pod-cidr": podCIDR, "service-cidr": serviceCIDR, ...same } = values;
  const given = { ...same, podCIDR, serviceCIDR, ...(noDemo === true && { demo: false }) };
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `--${path.join(".")}: ${message}`);
  throw new Error(faults.join("; "));
}
