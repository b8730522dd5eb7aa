import * as z from "zod";
import { eventSource } from "../events/source.ts";
import { fieldsV1, fromStorage, toStorage } from "../events/version-1.ts";
import { count } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { objectReference } from "../references.ts";
import { ageOf, type EpochMs, microTime, time } from "../time.ts";

const series = z
  .strictObject({
    count: count.optional().meta({ proto: 1 }),
    lastObservedTime: microTime.optional().meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.EventSeries" });

const fields = {
  involvedObject: objectReference.prefault({}).meta({ proto: 2, description: "What it is about." }),
  reason: z.string().optional().meta({ proto: 3, description: "One word, for machines." }),
  message: z.string().optional().meta({ proto: 4, description: "A sentence, for people." }),
  source: eventSource.prefault({}).meta({ proto: 5 }),
  firstTimestamp: time.optional().meta({ proto: 6 }),
  lastTimestamp: time.optional().meta({ proto: 7 }),
  count: count.optional().meta({ proto: 8 }),
  type: z.string().optional().meta({ proto: 9, description: "Normal or Warning." }),
  eventTime: microTime.optional().meta({ proto: 10 }),
  series: series.optional().meta({ proto: 11 }),
  action: z.string().optional().meta({ proto: 12 }),
  related: objectReference.optional().meta({ proto: 13 }),
  reportingComponent: z.string().default("").meta({ proto: 14 }),
  reportingInstance: z.string().default("").meta({ proto: 15 }),
};

type Shown = z.output<z.ZodObject<typeof fields>>;

export const event = defineKind({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  short: ["ev"],
  namespaced: true,
  description: "Something that happened to an object; kept for an hour.",
  fields,
  versions: [{ group: "events.k8s.io", version: "v1", fields: fieldsV1, toStorage, fromStorage }],
  columnsAreAll: true,
  columns: [
    { name: "Last Seen", type: "string", read: lastSeen },
    { name: "Type", type: "string", read: ({ type = "" }) => type },
    { name: "Reason", type: "string", read: ({ reason = "" }) => reason },
    { name: "Object", type: "string", read: objectText },
    {
      name: "Subobject",
      type: "string",
      priority: 1,
      read: ({ involvedObject }) => involvedObject.fieldPath ?? "",
    },
    { name: "Source", type: "string", priority: 1, read: sourceText },
    { name: "Message", type: "string", read: ({ message = "" }) => message.trim() },
    { name: "First Seen", type: "string", priority: 1, read: firstSeen },
    { name: "Count", type: "string", priority: 1, read: (one) => String(one.count ?? 1) },
    { name: "Name", type: "string", priority: 1, read: ({ metadata }) => metadata.name },
  ],
});
export type Event = ObjectOf<typeof event>;

function firstSeen({ firstTimestamp, eventTime }: Shown, now: EpochMs): string {
  return ageOf(firstTimestamp ?? eventTime, now);
}

function lastSeen(one: Shown, now: EpochMs): string {
  return ageOf(
    one.series?.lastObservedTime ?? one.lastTimestamp ?? one.firstTimestamp ?? one.eventTime,
    now,
  );
}

function objectText({ involvedObject: { kind = "", name = "" } }: Shown): string {
  return name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

function sourceText({
  source: { component, host },
  reportingComponent,
  reportingInstance,
}: Shown): string {
  const [from, at] =
    component === undefined ? [reportingComponent, reportingInstance] : [component, host];
  return at === undefined || at === "" ? from : `${from}, ${at}`;
}
