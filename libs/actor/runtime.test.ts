import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../store/store.ts";
import type { Placement } from "./placement.ts";
import type { Turn } from "./behaviour.ts";
import { openWorld, type SetBehaviour, sets } from "./world-fixture.ts";

const nothing: Turn = { ops: [], wakeAt: undefined, cut: 0 };

describe("actors", () => {
  test("make what is missing, and rest", async () => {
    await using world = await openWorld();
    let turns = 0;
    const counted: SetBehaviour = {
      ...sets,
      turn(...facts) {
        turns += 1;
        return sets.turn(...facts);
      },
    };
    await using _actors = world.run({ behaviours: [counted] });
    await world.want("web", 3);
    await world.until(() => world.items("web") === 3);
    await world.clock.advance(10_000);
    const rested = turns;
    await world.clock.advance(100_000);
    expect(turns).toBe(rested);
    await world.want("web", 1);
    await world.until(() => world.items("web") === 1);
  });

  test("tell what they have to tell, though they write nothing", async () => {
    await using world = await openWorld();
    const told: number[] = [];
    const talkative: SetBehaviour = {
      ...sets,
      turn: (_name, { revision }) => ({
        ...nothing,
        cut: revision,
        committed: (at) => void told.push(at),
      }),
    };
    await world.want("web", 1);
    await using _actors = world.run({ behaviours: [talkative] });
    await world.until(() => told.length > 0);
    expect(told[0]).toBe(world.replica.revision);
  });

  test("are turned for what was there before them", async () => {
    await using world = await openWorld();
    await world.want("web", 2);
    await using _actors = world.run();
    await world.until(() => world.items("web") > 0);
    expect(world.items("web")).toBe(2);
  });

  test("of several instances that act on everything never make one too many", async () => {
    const wishes = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(5)), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        wishes,
        fc.nat(),
        fc.integer({ min: 2, max: 3 }),
        async (wishes, seed, instances) => {
          await using world = await openWorld(seed);
          const most = new Map<string, number>();
          let tooMany = 0;
          using _watched = world.replica.subscribe(() => {
            for (const name of ["a", "b"]) {
              if (world.items(name) > (most.get(name) ?? 0)) tooMany += 1;
            }
          });
          for (let nth = 0; nth < instances; nth += 1) {
            const instance = await world.another(0.1);
            world.run({ ...instance, view: instance.replica }); // Ends with the world.
          }
          const last = new Map<string, number>();
          for (const [name, wanted] of wishes) {
            most.set(name, Math.max(most.get(name) ?? 0, wanted));
            last.set(name, wanted);
            await world.want(name, wanted);
          }
          const converged = () => [...last].every(([name, wanted]) => world.items(name) === wanted);
          await world.until(() => tooMany > 0 || converged());
          expect(tooMany).toBe(0);
          await world.clock.advance(5_000);
          expect([...last].map(([name]) => world.items(name))).toEqual([...last.values()]);
          expect(tooMany).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("take one turn at a time, and see what the one before has written", async () => {
    await using world = await openWorld();
    let [atWork, most] = [0, 0];
    const seen: number[] = [];
    const store = {
      ...world.store,
      async commit(...facts: Parameters<typeof world.store.commit>): Promise<Outcome> {
        atWork += 1;
        most = Math.max(most, atWork);
        await world.clock.sleep(20);
        const outcome = await world.store.commit(...facts);
        atWork -= 1;
        return outcome;
      },
    };
    const watched: SetBehaviour = {
      ...sets,
      turn(name, view, now) {
        seen.push([...view.lookup("of", name)].length);
        return sets.turn(name, view, now);
      },
    };
    await using actors = world.run({ store, behaviours: [watched] });
    await world.want("web", 2);
    for (let nth = 0; nth < 10; nth += 1) {
      actors.tell("sets", "web");
      await world.clock.advance(5);
    }
    await world.until(() => world.items("web") === 2);
    expect(most).toBe(1);
    expect(new Set(seen)).toEqual(new Set([0, 2]));
  });

  test("keep to the bound of turns in flight", async () => {
    await using world = await openWorld();
    let [atWork, most] = [0, 0];
    const store = {
      ...world.store,
      async commit(...facts: Parameters<typeof world.store.commit>): Promise<Outcome> {
        atWork += 1;
        most = Math.max(most, atWork);
        await world.clock.sleep(5);
        atWork -= 1;
        return world.store.commit(...facts);
      },
    };
    for (const name of ["a", "b", "c", "d", "e"]) await world.want(name, 1);
    await using _actors = world.run({ store, turnsInFlight: 2 });
    await world.until(() => ["a", "b", "c", "d", "e"].every((name) => world.items(name) === 1));
    expect(most).toBe(2);
  });

  test("wake at the time that they asked for, once", async () => {
    await using world = await openWorld();
    const at = world.clock.now() + 60_000;
    const turnedAt: number[] = [];
    const sleeper: SetBehaviour = {
      ...sets,
      turn(_name, _view, now) {
        turnedAt.push(now);
        return { ...nothing, wakeAt: now < at ? at : undefined };
      },
    };
    await world.want("web", 0);
    await using _actors = world.run({ behaviours: [sleeper] });
    await world.clock.advance(1_000_000);
    expect(turnedAt).toHaveLength(2);
    expect(turnedAt[1]).toBe(at);
  });

  test("that fail are listed, retried ever later, and leave their neighbours alone", async () => {
    await using world = await openWorld();
    let broken = true;
    const failedAt: number[] = [];
    const fragile: SetBehaviour = {
      ...sets,
      turn(name, view, now) {
        if (name === "bad" && broken) {
          failedAt.push(now);
          throw new Error("it cannot be");
        }
        return sets.turn(name, view, now);
      },
    };
    await world.want("bad", 1);
    await world.want("good", 1);
    await using actors = world.run({ behaviours: [fragile] });
    await world.until(() => world.items("good") === 1);
    await world.clock.advance(200_000);
    expect(actors.failing()).toMatchObject([{ address: "sets/bad", lastError: "it cannot be" }]);
    const waits = failedAt.slice(1).map((at, nth) => at - (failedAt[nth] ?? 0));
    expect(waits.length).toBeGreaterThan(8);
    expect(waits.length).toBeLessThan(30);
    expect(Math.max(...waits)).toBeGreaterThan(14_000);
    broken = false;
    expect(actors.retry("sets/good")).toBe(false);
    expect(actors.retry("sets/bad")).toBe(true);
    await world.until(() => world.items("bad") === 1);
    expect(actors.failing()).toEqual([]);
  });

  test("are measured: how their turns end, and what waits", async () => {
    await using world = await openWorld();
    const moody: SetBehaviour = {
      ...sets,
      turn(name, view, now) {
        if (name === "bad") throw new Error("it cannot be");
        return sets.turn(name, view, now);
      },
    };
    await using actors = world.run({ behaviours: [moody] });
    await world.want("web", 2);
    await world.want("bad", 1);
    await world.until(() => world.items("web") === 2 && actors.failing().length > 0);
    await world.clock.advance(50);
    const text = await actors.metrics();
    const counted = (end: string) =>
      Number(
        new RegExp(`berth_actor_turns_total{kind="sets",end="${end}"} (\\d+)`).exec(text)?.[1],
      );
    expect(counted("committed")).toBe(1);
    expect(counted("unchanged")).toBeGreaterThan(0);
    expect(counted("failed")).toBeGreaterThan(0);
    expect(text).toMatch(/^berth_actor_waiting{kind="sets"} 0$/m);
    expect(text).toMatch(/^berth_actor_held 1$/m);
    expect(text).toMatch(/^berth_actor_commit_seconds_count{kind="sets"} 1$/m);
  });

  test("of another instance are taken over when it goes", async () => {
    await using world = await openWorld();
    let mine = new Set(["sets/a"]);
    let changed: () => void = () => undefined;
    const placement: Placement = {
      owns: (address) => mine.has(address),
      onChange(listener) {
        changed = listener;
        return { [Symbol.dispose]: () => undefined };
      },
    };
    await world.want("a", 1);
    await world.want("b", 1);
    await using actors = world.run({ placement });
    await world.until(() => world.items("a") === 1);
    actors.tell("sets", "b");
    await world.clock.advance(1_000);
    expect(world.items("b")).toBe(0);
    mine = new Set(["sets/a", "sets/b"]);
    changed();
    await world.until(() => world.items("b") === 1);
  });

  test("are handed over: no turn after the stop, and what is in flight is waited for", async () => {
    await using world = await openWorld();
    const stop = new AbortController();
    const gate = Promise.withResolvers<void>();
    let commits = 0;
    const store = {
      ...world.store,
      async commit(...facts: Parameters<typeof world.store.commit>): Promise<Outcome> {
        commits += 1;
        await gate.promise;
        return world.store.commit(...facts);
      },
    };
    await world.want("web", 1);
    const actors = world.run({ store, signal: stop.signal });
    await world.until(() => commits === 1);
    let ended = false;
    const waited = actors.ended.then(() => {
      ended = true;
    });
    stop.abort();
    actors.tell("sets", "web");
    await world.want("other", 1);
    await world.clock.advance(1_000);
    expect([ended, commits]).toEqual([false, 1]);
    gate.resolve();
    await world.until(() => ended);
    await waited;
    expect([world.items("web"), world.items("other")]).toEqual([1, 0]);
  });
});
