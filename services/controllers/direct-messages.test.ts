import { expect, test } from "vitest";
import { alone } from "../../libs/actor/placement.ts";
import { RequestTimeout } from "../../libs/bus/bus.ts";
import { memoryBus } from "../../libs/bus/memory.ts";
import { actorSubject } from "../../libs/protocol/subjects.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { virtualClock } from "../../libs/telemetry/virtual-clock.ts";
import { serveDirectMessages } from "./direct-messages.ts";
import { start } from "./fixtures.ts";

const nothing = new Uint8Array();

test("a direct message lets the actor turn where it lives, which is told to the sender", async () => {
  const clock = virtualClock(start);
  await using bus = memoryBus({ clock, log: createLog("test", "silent") });
  const told: string[] = [];
  const serve = (instance: string, owned: string) =>
    serveDirectMessages({
      bus,
      instance,
      placement: { ...alone, owns: (address) => address === owned },
      kinds: new Set(["deployments", "nodes"]),
      actors: { tell: (kind, name) => void told.push(`${instance}: ${kind} ${name}`) },
    });
  await using _first = await serve("c1", "nodes/n.1");
  await using _second = await serve("c2", "deployments/default/web.a");
  const answers = await Promise.all(
    ["deployments/default/web.a", "nodes/n.1"].map(async (address) =>
      new TextDecoder().decode(await bus.request(actorSubject(address), nothing)),
    ),
  );
  expect(answers).toEqual(['{"instance":"c2"}', '{"instance":"c1"}']);
  expect(told).toEqual(["c2: deployments default/web.a", "c1: nodes n.1"]);

  const unknown = bus.request(actorSubject("unheard/of"), nothing, { timeoutMs: 100 });
  await Promise.all([expect(unknown).rejects.toThrow(RequestTimeout), clock.advance(200)]);
});
