/** What the controllers' actors did, summed over the instances, from their metrics. */
import * as z from "zod";
import type { Bus } from "../../libs/bus/bus.ts";
import { metricsSubject } from "../../libs/protocol/subjects.ts";

export type ActorFigures = {
  readonly turns: number;
  readonly committed: number;
  readonly conflicts: number;
  readonly failed: number;
};

const answer = z.array(z.object({ metrics: z.string() }));

export async function actorFigures(bus: Pick<Bus, "request">): Promise<ActorFigures> {
  const reply = await bus.request(metricsSubject, new Uint8Array());
  const texts = answer
    .parse(JSON.parse(new TextDecoder().decode(reply)))
    .map(({ metrics }) => metrics);
  const ended = (end: string) =>
    texts
      .flatMap((text) => [
        ...text.matchAll(new RegExp(`^berth_actor_turns_total{.*end="${end}"} (\\d+)$`, "gm")),
      ])
      .reduce((sum, [, count]) => sum + Number(count), 0);
  const [committed, conflicts, failed] = [ended("committed"), ended("conflict"), ended("failed")];
  return {
    turns: ended("unchanged") + committed + conflicts + failed,
    committed,
    conflicts,
    failed,
  };
}

export const since = (before: ActorFigures, after: ActorFigures): ActorFigures => ({
  turns: after.turns - before.turns,
  committed: after.committed - before.committed,
  conflicts: after.conflicts - before.conflicts,
  failed: after.failed - before.failed,
});
