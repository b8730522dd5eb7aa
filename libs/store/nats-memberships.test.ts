import { expect, test, vi } from "vitest";
import { startNats } from "../../test/nats-server.ts";
import { systemClock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { systemRandom } from "../telemetry/random.ts";
import type { Member } from "./memberships.ts";
import { natsMemberships } from "./nats-memberships.ts";

const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
const group = "controllers";
const within = (timeout: number) => ({ timeout, interval: 10 });

/** What a follower was told last, and all that it was told. */
function follower() {
  const views: string[][] = [];
  return {
    views,
    changed: (members: readonly Member[]) => void views.push(members.map(({ id }) => id)),
    last: () => views.at(-1),
  };
}

test("a member is seen while it lives, and gone at once when it leaves", async () => {
  await using servers = await startNats();
  await using one = await natsMemberships({ url: servers.url, ...ports });
  await using other = await natsMemberships({ url: servers.url, ...ports });
  const stop = new AbortController();
  const leave = new AbortController();
  const seen = follower();
  const following = other.follow(group, seen.changed, stop.signal);
  const staying = one.announce({ id: "b", group }, stop.signal);
  const leaving = one.announce({ id: "a", group }, leave.signal);
  const elsewhere = one.announce({ id: "c", group: "scheduler" }, stop.signal);
  await vi.waitFor(() => expect(seen.last()).toEqual(["a", "b"]), within(3_000));
  leave.abort();
  const leftAt = performance.now();
  await leaving;
  await vi.waitFor(() => expect(seen.last()).toEqual(["b"]), within(900));
  expect(performance.now() - leftAt).toBeLessThan(900); // Sooner than its lease would end.
  stop.abort();
  await Promise.all([following, staying, elsewhere]);
});

test("a member that dies without a word is gone when its lease ends", async () => {
  await using servers = await startNats();
  const doomed = await natsMemberships({ url: servers.url, ...ports });
  await using other = await natsMemberships({ url: servers.url, ...ports });
  const stop = new AbortController();
  const seen = follower();
  const following = other.follow(group, seen.changed, stop.signal);
  const staying = other.announce({ id: "b", group }, stop.signal);
  const dying = doomed.announce({ id: "a", group }, new AbortController().signal);
  await vi.waitFor(() => expect(seen.last()).toEqual(["a", "b"]), within(3_000));
  await doomed[Symbol.asyncDispose](); // Its connection closes: it can release nothing.
  await dying;
  await vi.waitFor(() => expect(seen.last()).toEqual(["b"]), within(2_000));
  stop.abort();
  await Promise.all([following, staying]);
});

test("members outlive a server that loses its memory (W3)", async () => {
  await using servers = await startNats();
  await using one = await natsMemberships({ url: servers.url, ...ports });
  await using other = await natsMemberships({ url: servers.url, ...ports });
  const stop = new AbortController();
  const seen = follower();
  const running = [
    other.follow(group, seen.changed, stop.signal),
    one.announce({ id: "a", group }, stop.signal),
    other.announce({ id: "b", group }, stop.signal),
  ];
  await vi.waitFor(() => expect(seen.last()).toEqual(["a", "b"]), within(3_000));
  const before = seen.views.length;
  await servers.kill(0);
  await servers.restart(0);
  const late = one.announce({ id: "c", group }, stop.signal);
  await vi.waitFor(() => expect(seen.last()).toEqual(["a", "b", "c"]), within(5_000));
  await systemClock.sleep(2_000); // Longer than the lifetime for which what was lost lingers.
  expect(seen.last()).toEqual(["a", "b", "c"]);
  expect(seen.views.slice(before).every((ids) => ids.includes("a") && ids.includes("b"))).toBe(
    true,
  );
  stop.abort();
  await Promise.all([...running, late]);
});
