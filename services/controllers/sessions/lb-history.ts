import { serviceDigest } from "../../../libs/protocol/service-digest.ts";
import { servicePrefix, slicePrefix } from "../../../libs/protocol/subjects.ts";
import type { Replica } from "../../../libs/store/replica.ts";
import type { Revision } from "../../../libs/store/store.ts";

/** What the Services and slices were at recent revisions, by their digest. */
export interface LbHistory extends Disposable {
  /**
   * The last revision of any Service or slice. After a load it is the load's: what was deleted before
   * it cannot be known.
   */
  lastRevision(): Revision;
  /**
   * Which revision somebody has really applied who says `applied` with `digest`; undefined when what
   * it holds is not what was at `applied`.
   */
  prove(applied: Revision, digest: string): Revision | undefined;
}

type Point = { readonly revision: Revision; readonly digest: string };

/** Changes remembered: an lb is seldom more than a few behind. */
const pointsMax = 4_096;

export function followServices(replica: Replica<unknown>): LbHistory {
  let digest = serviceDigest();
  let points: Point[] = [];
  begin();
  const subscription = replica.subscribe(({ changes, loaded }) => {
    if (loaded) return begin();
    for (const { key, revision, before, after } of changes) {
      if (!isRouted(key)) continue;
      if (before !== undefined) digest.toggle(key, before.revision);
      if (after !== undefined) digest.toggle(key, after.revision);
      points.push({ revision, digest: digest.text() });
    }
    // Half at a time, so that each change costs little.
    if (points.length > pointsMax * 2) points = points.slice(-pointsMax);
  });

  return {
    lastRevision: () => points.at(-1)?.revision ?? 0,
    prove(applied, found) {
      const newest = points.at(-1);
      if (newest?.digest === found) return Math.max(newest.revision, applied);
      const point = points.findLast(({ revision }) => revision <= applied);
      return point?.digest === found ? applied : undefined;
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };

  function begin(): void {
    digest = serviceDigest();
    for (const prefix of [servicePrefix, slicePrefix]) {
      for (const { key, revision } of replica.scan(prefix)) digest.toggle(key, revision);
    }
    points = [{ revision: replica.revision, digest: digest.text() }];
  }
}

const isRouted = (key: string) => key.startsWith(servicePrefix) || key.startsWith(slicePrefix);
