import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DrainedPod,
  drainTarget,
  type HoldingSlice,
  type SelectingService,
} from "./drain-target.ts";

const pod: DrainedPod = { uid: "u1", labels: { app: "web" }, routable: true };
const web: SelectingService = { name: "web", selector: { app: "web" } };
const other: SelectingService = { name: "other", selector: { app: "web" } };
const slice = (
  service: string,
  revision: number,
  endpoints: readonly (readonly [uid: string, terminating: boolean])[],
): HoldingSlice => ({
  service,
  revision,
  endpoints: endpoints.map(([uid, terminating]) => ({ uid, terminating })),
});

type Case = {
  name: string;
  pod?: DrainedPod | undefined;
  services?: SelectingService[];
  slices?: HoldingSlice[];
  target: unknown;
};
const none = { kind: "none" };
const unwritten = { kind: "unwritten" };
const writtenAt = (revision: number) => ({ kind: "written", revision });

describe("a drain waits for", () => {
  test.each<Case>([
    { name: "nothing when the pod is gone", pod: undefined, services: [web], target: none },
    { name: "nothing when no Service is there", services: [], target: none },
    {
      name: "nothing when no Service selects it",
      services: [{ name: "db", selector: { app: "db" } }],
      target: none,
    },
    {
      name: "nothing when a Service without selector is there: it selects none",
      services: [{ name: "manual", selector: {} }],
      target: none,
    },
    { name: "its slice to be written", services: [web], target: unwritten },
    {
      name: "nothing when it is in no slice and cannot be routed to",
      pod: { ...pod, routable: false },
      services: [web],
      target: none,
    },
    {
      name: "its slice to show it as terminating",
      services: [web],
      slices: [slice("web", 7, [["u1", false]])],
      target: unwritten,
    },
    {
      name: "the slice that shows it as terminating",
      services: [web],
      slices: [slice("web", 7, [["u1", true]])],
      target: writtenAt(7),
    },
    {
      name: "the last of the slices of all Services that select it",
      services: [web, other],
      slices: [slice("web", 7, [["u1", true]]), slice("other", 9, [["u1", true]])],
      target: writtenAt(9),
    },
    {
      name: "the Service that does not show it yet",
      services: [web, other],
      slices: [slice("web", 7, [["u1", true]]), slice("other", 6, [["u1", false]])],
      target: unwritten,
    },
    {
      name: "its own uid, not a namesake's",
      services: [web],
      slices: [slice("web", 7, [["u0", true]])],
      target: unwritten,
    },
    {
      name: "slices of Services that select it, and no others",
      services: [web],
      slices: [slice("web", 7, [["u1", true]]), slice("manual", 8, [["u1", false]])],
      target: writtenAt(7),
    },
  ])("$name", ({ services = [], slices = [], target, ...rest }) => {
    expect(drainTarget("pod" in rest ? rest.pod : pod, services, slices)).toEqual(target);
  });

  test("no less than each selecting Service's last word about it", () => {
    const ends = fc.array(fc.tuple(fc.constantFrom("u1", "u2"), fc.boolean()), { maxLength: 3 });
    const slices = fc.array(
      fc.record({
        service: fc.constantFrom("web", "other"),
        revision: fc.integer({ min: 1, max: 50 }),
        ends,
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(slices, (made) => {
        const all = made.map(({ service, revision, ends: held }) => slice(service, revision, held));
        const target = drainTarget(pod, [web, other], all);
        const holding = all.filter(({ endpoints }) => endpoints.some(({ uid }) => uid === "u1"));
        const open = holding.some(({ endpoints }) =>
          endpoints.some(({ uid, terminating }) => uid === "u1" && !terminating),
        );
        const revisions = holding.map(({ revision }) => revision);
        const shownBy = new Set(holding.map(({ service }) => service));
        const isKnown = !open && shownBy.size === 2; // It is routable: both must show it.
        expect(target).toEqual(isKnown ? writtenAt(Math.max(...revisions)) : unwritten);
      }),
    );
  });
});
