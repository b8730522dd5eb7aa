import { describe, expect, test } from "vitest";
import { createLog } from "../../../libs/telemetry/log.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import type { Image } from "../runtime/runtime.ts";
import { shownImages, watchImages } from "./images.ts";

const image = (name: string, sizeBytes: number): Image => ({ names: [name], sizeBytes });

describe("images that a node shows", () => {
  test("are the largest first, those without a name left out", () => {
    const all = [image("b:1", 5), image("a:1", 5), { names: [], sizeBytes: 9 }, image("c:1", 7)];
    expect(shownImages(all).flatMap(({ names }) => names)).toEqual(["c:1", "a:1", "b:1"]);
  });

  test("are fifty at most, of five names each", () => {
    const names = Array.from({ length: 9 }, (_, nth) => `x:${nth}`);
    const all = Array.from({ length: 60 }, (_, nth) => ({ names, sizeBytes: nth }));
    const shown = shownImages(all);
    expect(shown).toHaveLength(50);
    expect(shown[0]).toEqual({ names: names.slice(0, 5), sizeBytes: 59 });
  });
});

describe("the images of a machine", () => {
  const log = createLog("node-agent", "silent");
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test("are told after each look, and a look is not waited for", async () => {
    const clock = virtualClock();
    let there: readonly Image[] = [image("a:1", 1)];
    let looks = 0;
    const images = async () => {
      looks += 1;
      return there;
    };
    const watch = watchImages({ images }, { clock, log });
    expect(watch.toTell()).toBeUndefined();
    await settle();
    there = [image("b:1", 1)];
    expect(watch.toTell()).toEqual([{ names: ["a:1"], sizeBytes: 1 }]);
    await clock.advance(5_000);
    expect(watch.toTell()).toBeUndefined();
    await clock.advance(15_000);
    expect(watch.toTell()).toBeUndefined();
    await settle();
    expect(watch.toTell()).toEqual([{ names: ["b:1"], sizeBytes: 1 }]);
    expect(looks).toBe(2);
  });

  test("are not told while the engine does not list them", async () => {
    const clock = virtualClock();
    const images = async () => {
      throw new Error("no engine");
    };
    const watch = watchImages({ images }, { clock, log });
    watch.toTell();
    await settle();
    expect(watch.toTell()).toBeUndefined();
  });
});
