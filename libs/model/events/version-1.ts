/** An Event as events.k8s.io/v1 has it: the same facts under other names. */
import * as z from "zod";
import { count, int32 } from "../field.ts";
import { objectReference } from "../references.ts";
import { microTime, time } from "../time.ts";
import { eventSource } from "./source.ts";

const series = z
  .strictObject({
    count: int32.meta({ proto: 1 }),
    lastObservedTime: microTime.meta({ proto: 2 }),
  })
  .meta({ title: "events.v1.EventSeries" });

export const fieldsV1 = {
  eventTime: microTime.optional().meta({ proto: 2, description: "When it was first seen." }),
  series: series.optional().meta({ proto: 3 }),
  reportingController: z.string().optional().meta({ proto: 4 }),
  reportingInstance: z.string().optional().meta({ proto: 5 }),
  action: z.string().optional().meta({ proto: 6 }),
  reason: z.string().optional().meta({ proto: 7, description: "One word, for machines." }),
  regarding: objectReference.optional().meta({ proto: 8, description: "What it is about." }),
  related: objectReference.optional().meta({ proto: 9 }),
  note: z.string().optional().meta({ proto: 10, description: "A sentence, for people." }),
  type: z.string().optional().meta({ proto: 11, description: "Normal or Warning." }),
  deprecatedSource: eventSource.optional().meta({ proto: 12 }),
  deprecatedFirstTimestamp: time.optional().meta({ proto: 13 }),
  deprecatedLastTimestamp: time.optional().meta({ proto: 14 }),
  deprecatedCount: count.optional().meta({ proto: 15 }),
};

/** Names in v1, and in storage. */
const names = {
  regarding: "involvedObject",
  note: "message",
  deprecatedSource: "source",
  deprecatedFirstTimestamp: "firstTimestamp",
  deprecatedLastTimestamp: "lastTimestamp",
  deprecatedCount: "count",
  reportingController: "reportingComponent",
} as const;
const stored = new Map<string, string>(Object.entries(names));
const served = new Map<string, string>(Object.entries(names).map(([a, b]) => [b, a]));

export const toStorage = (object: unknown): unknown =>
  renamed(object, { names: stored, apiVersion: "v1" });
export const fromStorage = (object: unknown): unknown =>
  renamed(object, { names: served, apiVersion: "events.k8s.io/v1" });

type Renaming = { readonly names: ReadonlyMap<string, string>; readonly apiVersion: string };

function renamed(object: unknown, { names: renames, apiVersion }: Renaming): unknown {
  const fields = Object.entries(object as Readonly<Record<string, unknown>>); // An Event.
  return {
    ...Object.fromEntries(fields.map(([name, value]) => [renames.get(name) ?? name, value])),
    apiVersion,
  };
}
