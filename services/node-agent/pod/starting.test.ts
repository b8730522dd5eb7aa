import { expect, test } from "vitest";
import { seededRandom } from "../../../libs/telemetry/seeded-random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { hollowRuntime } from "../runtime/hollow.ts";
import { aWork, theHands } from "./fixtures.ts";
import { inTurn } from "./in-turn.ts";
import { podSources } from "./sources.ts";
import { starting } from "./starting.ts";

function stage() {
  const clock = virtualClock();
  const runtime = hollowRuntime({ clock, random: seededRandom(1) });
  const hands = theHands({ clock, runtime, work: () => aWork() });
  const sources = podSources(hands.context.control, clock);
  return { clock, part: starting(hands, (run) => run(), { sources, inTurn: inTurn() }) };
}

const first = { do: "start", container: "main", attempt: 0, failures: 0 } as const;

test("a start that is refused is tried again in a moment", async () => {
  const { clock, part } = stage();
  await part.start(first);
  expect(part.waiting(clock.now()).get("main")).toEqual({
    reason: "ContainerCreating",
    message: "the node has no pod network yet",
    retryAt: clock.now() + 500,
  });
});

test("a container whose definition changed waits for nothing that was refused before", async () => {
  const { clock, part } = stage();
  await part.start(first);
  part.definitionChanged("main");
  expect(part.waiting(clock.now()).size).toBe(0);
});
