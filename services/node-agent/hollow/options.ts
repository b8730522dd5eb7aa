/**
 * What programs hollow nodes: options of `npm start` (`--hollow-zones 3`), and under the same names what
 * their process reads of its environment (`BERTH_HOLLOW_ZONES=3`).
 */
import * as z from "zod";
import { labelKeyFault, labelValueFault } from "../../../libs/model/names.ts";
import { quantity, quantityNumber } from "../../../libs/model/quantity.ts";

/** Their pod ranges must all fit in a cluster's, and their agents in one process. */
export const hollowNodesMax = 5_000;

const amount = quantity.refine((text) => quantityNumber(text) > 0, "must be greater than 0");
const delayMs = z.coerce.number().int().min(0).max(600_000).default(0);
const labelsText = z.string().superRefine((text, context) => {
  for (const pair of pairsIn(text)) {
    const [name, value, ...more] = pair.split("=");
    const fault =
      name === undefined || value === undefined || more.length > 0
        ? "a label is name=value, and several are separated by commas"
        : (labelKeyFault(name) ?? labelValueFault(value));
    if (fault !== undefined) context.addIssue(`${pair}: ${fault}`);
  }
});

/** By the options' names. */
export const hollowSchema = z.object({
  /** How many there are, `hollow-1` and so on, all in one process. */
  hollow: z.coerce.number().int().min(0).max(hollowNodesMax).default(0),
  /** They take turns in `topology.kubernetes.io/zone`: `zone-1` and so on. */
  "hollow-zones": z.coerce.number().int().min(1).max(1_000).default(1),
  /** `name=value`, comma-separated, on every one. */
  "hollow-labels": labelsText.default(""),
  "hollow-cpu": amount.default("4"),
  "hollow-memory": amount.default("8Gi"),
  "hollow-pods": z.coerce.number().int().min(1).max(250).default(110),
  /** How long a container takes to start, and to stop. */
  "hollow-start-ms": delayMs,
  "hollow-stop-ms": delayMs,
  /** Of a hundred starts of containers so many fail, by chance. */
  "hollow-fail-percent": z.coerce.number().min(0).max(100).default(0),
});
export type HollowOptions = z.output<typeof hollowSchema>;

export const variableOf = (option: string): string =>
  `BERTH_${option.toUpperCase().replaceAll("-", "_")}`;

/** What the process of the nodes is to be started with; it reads the same again. */
export const hollowEnvironment = (options: HollowOptions): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.keys(hollowSchema.shape).map((name) => [
      variableOf(name),
      // Every key of the schema is one of its output.
      String(options[name as keyof HollowOptions]),
    ]),
  );

/** @throws {Error} that names the variables at fault */
export function hollowFrom(env: Readonly<Record<string, string | undefined>>): HollowOptions {
  const given = Object.keys(hollowSchema.shape).flatMap((name) => {
    const said = env[variableOf(name)] ?? "";
    return said === "" ? [] : [[name, said]];
  });
  const result = hollowSchema.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    ({ path, message }) => `${variableOf(String(path[0]))}: ${message}`,
  );
  throw new Error(faults.join("; "));
}

/** `name=value`, comma-separated. */
export const labelsIn = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    pairsIn(text).map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      return [name, value];
    }),
  );

const pairsIn = (text: string): readonly string[] => text.split(",").filter((pair) => pair !== "");

export type HollowNode = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** The nodes, those of a zone as many as those of any other, give or take one. */
export const hollowNodes = (prefix: string, options: HollowOptions): readonly HollowNode[] =>
  Array.from({ length: options.hollow }, (_, nth) => ({
    name: `${prefix}-${nth + 1}`,
    labels: {
      "topology.kubernetes.io/zone": `zone-${(nth % options["hollow-zones"]) + 1}`,
      ...labelsIn(options["hollow-labels"]),
    },
  }));

/** What the scheduler is told that a node has. */
export const hollowCapacity = (options: HollowOptions): Readonly<Record<string, string>> => ({
  cpu: options["hollow-cpu"],
  memory: options["hollow-memory"],
  pods: String(options["hollow-pods"]),
});
