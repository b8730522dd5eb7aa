import { expect, test } from "vitest";
import { memoryBus, memoryNetwork } from "../../../libs/bus/memory.ts";
import { type NodeHeartbeatReply, nodeSnapshotRequest } from "../../../libs/protocol/node.ts";
import { controlSubject, hintSubject } from "../../../libs/protocol/subjects.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { anAssignment, clusterFacts, nodeFacts } from "../agent-fixture.ts";
import { known as knownAssignments } from "./known.ts";
import { reports } from "./reports.ts";
import { nodeSession } from "./session.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const accepted: NodeHeartbeatReply = { accepted: true, lastRevision: 3, cluster: clusterFacts };
const refused: NodeHeartbeatReply = { accepted: false, reason: "another", engineId: "e2" };

/** An agent's session and the control plane that it talks with, on one clock that the test moves. */
async function stage(saved?: unknown) {
  const clock = virtualClock();
  const network = memoryNetwork();
  const stop = new AbortController();
  const known = knownAssignments();
  const seen: string[] = [];
  const kept: unknown[] = [];
  const control = memoryBus({ network, clock });
  const answer: {
    heartbeat: NodeHeartbeatReply | undefined;
    /** What a snapshot's answer waits for. */
    snapshot: Promise<void>;
  } = { heartbeat: undefined, snapshot: Promise.resolve() };
  const asked = { heartbeats: 0, snapshots: 0, first: [] as unknown[] };
  await control.serve(controlSubject("n1", "heartbeat"), async () => {
    asked.heartbeats += 1;
    return answer.heartbeat === undefined ? undefined : encode(answer.heartbeat);
  });
  await control.serve(controlSubject("n1", "snapshot"), async ({ data }) => {
    asked.snapshots += 1;
    asked.first.push(nodeSnapshotRequest.parse(JSON.parse(new TextDecoder().decode(data))).first);
    await answer.snapshot;
    return encode({ cut: 9, assignments: [{ revision: 3, assignment: anAssignment("web", {}) }] });
  });
  const session = nodeSession({
    node: "n1",
    boot: "b1",
    connect: async () => memoryBus({ network, clock }),
    memory: { load: async () => saved, save: async (state) => void kept.push(state) },
    known,
    reports: reports(),
    facts: async () => nodeFacts,
    onKnown: (proved) => void seen.push(proved ? "proved" : "known"),
    onAccepted: () => undefined,
    onRefused: (engineId) => void seen.push(`refused for ${engineId}`),
    onGone: () => undefined,
    onConfigChanged: () => undefined,
    onUnclaimed: (volumes) => void seen.push(`to remove: ${volumes.join(" ")}`),
    serve: async () => {
      seen.push("serves");
      return { [Symbol.asyncDispose]: async () => void seen.push("serves no more") };
    },
    clock,
    log: createLog("test", "silent"),
    signal: stop.signal,
  });
  const running = session.run();
  const wire = network.connect(clock);
  return {
    clock,
    seen,
    kept,
    answer,
    asked,
    /** Whether a drain that was asked for is over. */
    drain(limitMs: number): { over: boolean } {
      const result = { over: false };
      const pod = { namespace: "default", name: "web", uid: "u1" };
      const over = () => void (result.over = true);
      session.drained(pod, limitMs).then(over, over);
      return result;
    },
    serveDrains: (reply: () => Promise<Uint8Array>) =>
      control.serve(controlSubject("n1", "drain"), reply),
    hint: (name: string, revision: number) =>
      wire.publish(hintSubject(`assign.n1.default.${name}`), encode(anAssignment(name, {})), {
        headers: { "nats-sequence": String(revision) },
      }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await clock.advance(10_000);
      await running;
    },
  };
}

test("an agent acts on no hint before the node's name is its own (N5)", async () => {
  await using agent = await stage();
  await agent.clock.advance(100);
  agent.hint("web", 3);
  await agent.clock.advance(100);
  expect(agent.seen).toEqual([]);
  agent.answer.heartbeat = accepted;
  await agent.clock.advance(2_500);
  expect(agent.seen.slice(0, 2)).toEqual(["serves", "proved"]);
});

test("an agent that is refused serves nothing and acts on no hint, until it is accepted (N5)", async () => {
  await using agent = await stage();
  agent.answer.heartbeat = accepted;
  await agent.clock.advance(1_000);
  expect(agent.seen).toEqual(["serves", "proved"]);
  agent.answer.heartbeat = refused;
  await agent.clock.advance(1_500);
  expect(agent.seen.slice(2, 4)).toEqual(["refused for e2", "serves no more"]);
  agent.hint("other", 12);
  await agent.clock.advance(100);
  expect(agent.seen.filter((one) => one === "known")).toEqual([]);
  agent.answer.heartbeat = { ...accepted, lastRevision: 9 };
  const before = agent.seen.length;
  await agent.clock.advance(1_500);
  expect(agent.seen.slice(before)).toEqual(["serves"]); // The snapshot, at 9, lags behind the hint.
});

test("an agent keeps nothing to act on alone once another engine has its name (N5)", async () => {
  await using agent = await stage();
  agent.answer.heartbeat = accepted;
  await agent.clock.advance(1_000);
  expect(agent.kept.at(-1)).toMatchObject({ held: [{ work: { name: "web" } }] });
  agent.answer.heartbeat = refused;
  await agent.clock.advance(1_500);
  expect(agent.kept.at(-1)).toEqual({});
  agent.answer.heartbeat = { ...accepted, lastRevision: 12 };
  await agent.clock.advance(1_500);
  expect(agent.kept.at(-1)).toMatchObject({ held: [{ work: { name: "web" } }] });
  const { engineId } = nodeFacts;
  agent.answer.heartbeat = { accepted: false, reason: "another", engineId };
  await agent.clock.advance(1_500);
  expect(agent.kept.at(-1)).toMatchObject({ held: [{ work: { name: "web" } }] });
  await using another = await stage({});
  another.hint("web", 3);
  await another.clock.advance(5_000);
  expect(another.seen).toEqual([]);
});

test("an agent goes on beating while its snapshot is not answered: it is not silent (N4)", async () => {
  await using agent = await stage();
  agent.answer.heartbeat = accepted;
  const gate = Promise.withResolvers<void>();
  agent.answer.snapshot = gate.promise;
  await agent.clock.advance(4_500);
  expect(agent.asked.heartbeats).toBeGreaterThanOrEqual(4);
  expect(agent.asked.snapshots).toBe(1); // One question at a time.
  gate.resolve();
  await agent.clock.advance(100);
  expect(agent.seen).toContain("proved");
});

test("an agent says that its first snapshot is its first, until it has one (N3)", async () => {
  await using agent = await stage();
  agent.answer.heartbeat = accepted;
  agent.answer.snapshot = Promise.reject(new Error("the replica is behind"));
  agent.answer.snapshot.catch(() => undefined);
  await agent.clock.advance(600);
  agent.answer.snapshot = Promise.resolve();
  await agent.clock.advance(1_000);
  agent.answer.heartbeat = { ...accepted, lastRevision: 10 };
  await agent.clock.advance(1_000);
  expect(agent.asked.first.indexOf(false)).toBeGreaterThanOrEqual(2);
  expect(agent.asked.first.slice(0, 2)).toEqual([true, true]);
});

test("a snapshot that comes when the name is another's is not acted on (N5)", async () => {
  await using agent = await stage();
  agent.answer.heartbeat = accepted;
  const gate = Promise.withResolvers<void>();
  agent.answer.snapshot = gate.promise;
  await agent.clock.advance(100);
  agent.answer.heartbeat = refused;
  await agent.clock.advance(1_500);
  gate.resolve();
  await agent.clock.advance(100);
  expect(agent.asked.snapshots).toBe(1);
  expect(agent.seen).not.toContain("proved");
});

test("a drain question that fails is asked again: only an answer or its limit ends it (N6)", async () => {
  await using agent = await stage();
  agent.answer.heartbeat = accepted;
  await agent.clock.advance(100);
  const unheard = agent.drain(2_000);
  await agent.clock.advance(1_900);
  expect(unheard.over).toBe(false);
  await agent.clock.advance(400);
  expect(unheard.over).toBe(true);
  let asked = 0;
  await agent.serveDrains(async () => {
    asked += 1;
    if (asked === 1) throw new Error("it is told to stop");
    return encode({ outcome: "applied" });
  });
  const failed = agent.drain(2_000);
  await agent.clock.advance(100);
  expect(failed.over).toBe(false);
  await agent.clock.advance(500);
  expect(failed.over).toBe(true);
});

test("an agent that nobody answers goes on from what it knew, and follows hints", async () => {
  const work = anAssignment("web", {});
  await using agent = await stage({ applied: 3, held: [{ revision: 3, work, startTime: 0 }] });
  await agent.clock.advance(3_000);
  expect(agent.seen).toEqual(["known"]);
  agent.hint("other", 12);
  await agent.clock.advance(100);
  expect(agent.seen).toEqual(["known", "known"]);
});
