/** Any pods and nodes that rules and scores know, without demands that span nodes. */
import * as fc from "fast-check";
import { defaultScheduling } from "../../../libs/cluster/settings.ts";
import { aPod, aRoom, gpuTaint } from "./place-fixture.ts";

const quantities = (most: number, unit: string) =>
  fc.integer({ min: 0, max: most }).map((amount) => `${amount}${unit}`);
const zone = fc.constantFrom("east", "west");
export const image = fc.constantFrom("web:v1", "db:v1");
const label = "topology.kubernetes.io/zone";
const app = (value: string) => ({ matchLabels: { app: value } });

const affinity = fc
  .record({ required: fc.option(zone), preferred: fc.option(zone) })
  .map(({ required, preferred }) => {
    const term = (of: string) => ({
      matchExpressions: [{ key: label, operator: "In" as const, values: [of] }],
    });
    return {
      nodeAffinity: {
        ...(required !== null && {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term(required)] },
        }),
        ...(preferred !== null && {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 10, preference: term(preferred) },
          ],
        }),
      },
    };
  });
export const anyPod = fc.record({
  cpu: fc.constantFrom("0", "100m", "300m", "1500m"),
  memory: fc.constantFrom("0", "100Mi", "900Mi"),
  image,
  affinity,
  port: fc.constantFrom(undefined, undefined, 80),
  owner: fc.constantFrom("a", "b", undefined),
  tolerations: fc.constantFrom([], [], [{ operator: "Exists" }]),
  spread: fc.constantFrom(undefined, undefined, "ScheduleAnyway"),
  wish: fc.constantFrom(undefined, undefined, 10, -10),
});
type Drawn = typeof anyPod extends fc.Arbitrary<infer T> ? T : never;

/** The pod `p<nth>`. */
export function podFrom(one: Drawn, nth: number) {
  const podAffinityTerm = { topologyKey: label, labelSelector: app("a") };
  const weight = Math.abs(one.wish ?? 0);
  const terms = {
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm }],
  };
  return aPod(
    `p${nth}`,
    {
      containers: [
        {
          image: one.image,
          resources: { requests: { cpu: one.cpu, memory: one.memory } },
          ports: [{ hostPort: one.port }],
        },
      ],
      tolerations: one.tolerations,
      affinity: {
        ...one.affinity,
        ...(one.wish !== undefined && {
          [one.wish > 0 ? "podAffinity" : "podAntiAffinity"]: terms,
        }),
      },
      topologySpreadConstraints:
        one.spread === undefined
          ? []
          : [
              {
                topologyKey: label,
                maxSkew: 1,
                whenUnsatisfiable: one.spread,
                labelSelector: app("a"),
              },
            ],
    },
    {
      labels: { app: one.owner ?? "none" },
      ...(one.owner !== undefined && { ownerReferences: [{ uid: one.owner, controller: true }] }),
    },
  );
}
export const anyRoom = fc.record({
  cpu: quantities(4_000, "m"),
  memory: quantities(4_000, "Mi"),
  zone: fc.option(zone),
  unschedulable: fc.constantFrom(false, false, true),
  taints: fc.constantFrom([], [], [gpuTaint], [{ ...gpuTaint, effect: "PreferNoSchedule" }]),
  image: fc.option(image),
});
type DrawnRoom = typeof anyRoom extends fc.Arbitrary<infer T> ? T : never;
export const roomFrom = (
  { zone: of, image: there, cpu: cores, memory: bytes, ...node }: DrawnRoom,
  nth: number,
) =>
  aRoom(
    `n${nth}`,
    {
      ...node,
      labels: of === null ? {} : { [label]: of },
      allocatable: { cpu: cores, memory: bytes },
    },
    there === null ? {} : { images: [{ names: [there], sizeBytes: 500_000_000 }] },
  );
export const anyRooms = fc
  .array(anyRoom, { minLength: 1, maxLength: 6 })
  .map((all) => all.map(roomFrom));
export const anySettings = fc.record({
  strategy: fc.constantFrom("LeastAllocated" as const, "MostAllocated" as const),
  defaultSpread: fc.constantFrom(defaultScheduling.defaultSpread, [label], []),
});
