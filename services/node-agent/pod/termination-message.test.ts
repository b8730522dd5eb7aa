import { expect, test } from "vitest";
import { seededRandom } from "../../../libs/telemetry/seeded-random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { hollowRuntime } from "../runtime/hollow.ts";
import { aContainer, aWork, theHands } from "./fixtures.ts";
import { terminationMessages } from "./termination-message.ts";

test("a container that ends while messages are read is not seen ended without its own", async () => {
  const clock = virtualClock();
  const names = ["first", "second"].map((name) => ({
    name,
    terminationMessagePolicy: "FallbackToLogsOnError",
  }));
  const ended = new Set(["first"]);
  const runtime = {
    ...hollowRuntime({ clock, random: seededRandom(1) }),
    containers: () =>
      names.map(({ name }) =>
        aContainer(name, { id: name, exitCode: 1, state: ended.has(name) ? "exited" : "running" }),
      ),
    async *logs(id: string) {
      ended.add("second");
      yield Buffer.from(`${id} has ended`);
    },
  };
  const messages = terminationMessages(
    theHands({ clock, runtime, work: () => aWork({ containers: names }) }),
  );
  await messages.gather();
  expect([...messages.read()]).toEqual([
    ["first", "first has ended"],
    ["second", "second has ended"],
  ]);
});
