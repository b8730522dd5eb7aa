import { expect, test } from "vitest";
import { virtualClock } from "../telemetry/virtual-clock.ts";
import type { Member } from "./memberships.ts";
import { memoryMemberships } from "./memory-memberships.ts";

const group = "controllers";

/** Members of the group and of another one, and what a follower of the group was told last. */
function cluster() {
  const clock = virtualClock();
  const memberships = memoryMemberships({ clock });
  const stop = new AbortController();
  let last: readonly string[] | undefined;
  const told = (members: readonly Member[]) => {
    last = members.map(({ id }) => id);
  };
  const following = memberships.follow(group, told, stop.signal);
  const end = () => {
    stop.abort();
    return following;
  };
  return { clock, memberships, stop, end, last: () => last };
}

test("a member is seen while it lives, and gone at once when it leaves", async () => {
  const { memberships, stop, end, last } = cluster();
  const leave = new AbortController();
  const announced = [
    memberships.announce({ id: "b", group }, stop.signal),
    memberships.announce({ id: "a", group }, leave.signal),
    memberships.announce({ id: "c", group: "scheduler" }, stop.signal),
  ];
  expect(last()).toEqual(["a", "b"]);
  leave.abort();
  await announced[1];
  expect(last()).toEqual(["b"]);
  await end();
  await Promise.all(announced);
});

test("a member that dies without a word is gone when its lease ends", async () => {
  const { clock, memberships, stop, end, last } = cluster();
  const announced = memberships.announce({ id: "a", group }, stop.signal);
  memberships.crash("a");
  await clock.advance(999);
  expect(last()).toEqual(["a"]);
  await clock.advance(1);
  expect(last()).toEqual([]);
  await end();
  await announced;
});
