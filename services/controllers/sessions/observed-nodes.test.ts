import { describe, expect, test } from "vitest";
import type { NodeFacts, NodeHeartbeat } from "../../../libs/protocol/node.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { listen } from "./hearing.ts";
import { observeNodes, queuedMs, silenceMs } from "./observed-nodes.ts";

const factsOf = (engineId: string): NodeFacts => ({
  engineId,
  labels: {},
  addresses: [],
  capacity: {},
  allocatable: {},
  nodeInfo: {},
});
/** The agents of a machine begin in the order of their boots' names. */
const beat = (node: string, boot = "a", engineId = "e1"): NodeHeartbeat => ({
  node,
  boot,
  bootedAt: boot.charCodeAt(0),
  applied: 0,
  facts: factsOf(engineId),
});

function ears(healthySinceMs: () => number | undefined = () => 0) {
  const clock = virtualClock();
  const hearing = listen(clock, healthySinceMs);
  const nodes = observeNodes(clock, hearing);
  nodes.listens();
  return { clock, nodes };
}

/** The same in a process that can be paused: as after SIGSTOP and SIGCONT, time passes and no tick runs. */
function pausable() {
  const clock = virtualClock();
  let pausedMs = 0;
  const paused = { ...clock, monotonicMs: () => clock.monotonicMs() + pausedMs };
  const nodes = observeNodes(
    paused,
    listen(paused, () => 0),
  );
  nodes.listens();
  return { clock, nodes, pause: (ms: number) => void (pausedMs += ms) };
}

describe("the memory of heartbeats", () => {
  test("says how long ago a node was heard, and nothing of one never heard", async () => {
    const { clock, nodes } = ears();
    nodes.hear(beat("n1"), undefined);
    await clock.advance(1_500);
    expect(nodes.seen("n1")).toMatchObject({ ageMs: 1_500, boot: "a" });
    expect(nodes.seen("n2")).toBeUndefined();
  });

  test("tells news from repetition", async () => {
    const { clock, nodes } = ears();
    expect(nodes.hear(beat("n1"), undefined)).toEqual({ accepted: true, news: true });
    expect(nodes.hear(beat("n1"), undefined)).toEqual({ accepted: true, news: false });
    await clock.advance(silenceMs + 1);
    expect(nodes.hear(beat("n1"), undefined)).toEqual({ accepted: true, news: true });
  });

  test("keeps the images that not every heartbeat tells", () => {
    const { nodes } = ears();
    const images = [{ names: ["web:v1"], sizeBytes: 7 }];
    const { facts, ...rest } = beat("n1");
    nodes.hear({ ...rest, facts: { ...facts, images } }, undefined);
    expect(nodes.hear(beat("n1"), undefined)).toEqual({ accepted: true, news: false });
    expect(nodes.seen("n1")?.facts.images).toEqual(images);
    nodes.hear(beat("n1", "b"), undefined);
    expect(nodes.seen("n1")?.facts.images).toBeUndefined();
  });

  test("refuses an agent on another engine while the first is heard (N5)", async () => {
    const { clock, nodes } = ears();
    nodes.hear(beat("n1", "a", "e1"), undefined);
    expect(nodes.hear(beat("n1", "b", "e2"), undefined)).toMatchObject({
      accepted: false,
      engineId: "e1",
    });
    await clock.advance(silenceMs + 1);
    expect(nodes.hear(beat("n1", "b", "e2"), undefined)).toMatchObject({ accepted: true });
  });

  test("lets a restarted agent in at once, and its predecessor only once it is silent (N5)", async () => {
    const { clock, nodes } = ears();
    nodes.hear(beat("n1", "a"), undefined);
    expect(nodes.hear(beat("n1", "b"), undefined)).toMatchObject({ accepted: true });
    expect(nodes.hear(beat("n1", "a"), undefined)).toMatchObject({ accepted: false });
    await clock.advance(silenceMs + 1);
    expect(nodes.hear(beat("n1", "a"), undefined)).toMatchObject({ accepted: true });
    expect(nodes.hear(beat("n1", "b"), undefined)).toMatchObject({ accepted: true });
  });

  test("takes no late heartbeat of a former agent for a successor's (N5)", () => {
    const { nodes } = ears();
    nodes.hear(beat("n1", "b"), undefined); // This instance is new: it never heard the former.
    expect(nodes.hear(beat("n1", "a"), undefined)).toMatchObject({ accepted: false });
    expect(nodes.seen("n1")).toMatchObject({ boot: "b" });
  });

  test("lets no other engine in before the recorded one could be heard (N5)", async () => {
    const { clock, nodes } = ears();
    const verdict = nodes.hear(beat("n1", "b", "e2"), "e1");
    expect(verdict).toEqual({ accepted: false, reason: "the node had another engine" });
    expect(nodes.hear(beat("n1", "a", "e1"), "e1")).toMatchObject({ accepted: true });
    await clock.advance(silenceMs);
    expect(nodes.hear(beat("n2", "b", "e2"), "e1")).toMatchObject({ accepted: true });
  });

  test("lets no other engine in for its own silence: it was cut off itself (N5)", async () => {
    let healthySinceMs: number | undefined = 0;
    const { clock, nodes } = ears(() => healthySinceMs);
    nodes.hear(beat("n1", "a", "e1"), "e1");
    healthySinceMs = undefined;
    await clock.advance(silenceMs * 2);
    healthySinceMs = clock.monotonicMs();
    await clock.advance(200);
    for (const recorded of ["e1", undefined])
      expect(nodes.hear(beat("n1", "b", "e2"), recorded)).toMatchObject({ accepted: false });
    // Meanwhile the node went to another engine.
    expect(nodes.hear(beat("n1", "d", "e3"), "e3")).toMatchObject({ accepted: true });
    await clock.advance(silenceMs + 1);
    healthySinceMs = clock.monotonicMs();
    expect(nodes.hear(beat("n1", "c", "e1"), "e1")).toMatchObject({ accepted: true });
    await clock.advance(silenceMs + 1);
    expect(nodes.hear(beat("n1", "b", "e2"), "e1")).toMatchObject({ accepted: true });
  });
});

/** From when an instance listens until it judges. */
const judgedMs = silenceMs + queuedMs;

describe("silence is judged (N4)", () => {
  test("only after listening for the whole time", async () => {
    const { clock, nodes } = ears();
    await clock.advance(judgedMs - 1);
    expect(nodes.judgeable([])).toBe(false);
    await clock.advance(1);
    expect(nodes.judgeable([])).toBe(true);
  });

  test("only once heartbeats reach this instance, however long it has run", async () => {
    const clock = virtualClock();
    const nodes = observeNodes(
      clock,
      listen(clock, () => 0),
    );
    await clock.advance(judgedMs * 2);
    expect(nodes.judgeable([])).toBe(false);
    nodes.listens();
    await clock.advance(judgedMs - 1);
    expect(nodes.judgeable([])).toBe(false);
    await clock.advance(1);
    expect(nodes.judgeable([])).toBe(true);
  });

  test("not while what had queued before it listened may be taken for news", async () => {
    const { clock, nodes, pause } = pausable();
    await clock.advance(judgedMs);
    pause(5_000);
    await clock.advance(100);
    nodes.hear(beat("n1"), undefined); // Sent early in the pause: n1 is as silent as n2 by now.
    await clock.advance(silenceMs);
    expect(nodes.judgeable(["n1", "n2"])).toBe(false);
    await clock.advance(queuedMs + 200);
    expect(nodes.judgeable(["n1", "n2"])).toBe(false); // Half of them would have to be heard.
  });

  test("not while fewer than half of the nodes are heard", async () => {
    const { clock, nodes } = ears();
    await clock.advance(judgedMs);
    nodes.hear(beat("n1"), undefined);
    expect(nodes.judgeable(["n1", "n2"])).toBe(true);
    expect(nodes.judgeable(["n1", "n2", "n3"])).toBe(false);
    // Heard, and not among them: its Node was deleted.
    expect(nodes.judgeable(["n2", "n3"])).toBe(false);
  });

  test("not after a break of the connection", async () => {
    let healthySince: number | undefined = 0;
    const { clock, nodes } = ears(() => healthySince);
    await clock.advance(judgedMs);
    healthySince = undefined;
    expect(nodes.judgeable([])).toBe(false);
    healthySince = clock.monotonicMs();
    expect(nodes.judgeable([])).toBe(false);
    await clock.advance(judgedMs);
    expect(nodes.judgeable([])).toBe(true);
  });

  test("not after this process itself was paused", async () => {
    const { clock, nodes, pause } = pausable();
    await clock.advance(judgedMs);
    expect(nodes.judgeable([])).toBe(true);
    pause(2_000);
    expect(nodes.judgeable([])).toBe(false);
    await clock.advance(judgedMs - 500);
    expect(nodes.judgeable([])).toBe(false);
    await clock.advance(700); // From the tick that shows that it goes on.
    expect(nodes.judgeable([])).toBe(true);
  });

  test("not in the moment after a short pause, in which heartbeats wait to be read", async () => {
    const { clock, nodes, pause } = pausable();
    await clock.advance(judgedMs);
    expect(nodes.judgeable([])).toBe(true);
    pause(160);
    expect(nodes.judgeable([])).toBe(false);
    await clock.advance(100); // The late tick itself: other timers that are due may come after it.
    expect(nodes.judgeable([])).toBe(false);
    await clock.advance(100);
    expect(nodes.judgeable([])).toBe(true);
  });
});
