import { describe, expect, test } from "vitest";
import type { Observed } from "../runtime/runtime.ts";
import { aContainer, aWork } from "./fixtures.ts";
import { type Owner, predecessorsOf } from "./predecessors.ts";

const ports = [{ containerPort: 80, hostPort: 8080 }];
const work = aWork({ containers: [{ name: "main", ports }] });
const other = { uid: "u0", pod: "old", hostPorts: ["TCP/8080/10.0.0.1"] };

type Case = { name: string; one: Partial<Observed>; owner: Owner; inTheWay: boolean };

describe("a pod's predecessor (N5)", () => {
  test.each<Case>([
    { name: "has its name", one: { uid: "u0", state: "exited" }, owner: "nobody", inTheWay: true },
    { name: "is not itself", one: {}, owner: "living", inTheWay: false },
    {
      name: "is not one of that name elsewhere",
      one: { uid: "u0", namespace: "other" },
      owner: "nobody",
      inTheWay: false,
    },
    { name: "runs on its host port", one: other, owner: "nobody", inTheWay: true },
    { name: "is being ended on its host port", one: other, owner: "ending", inTheWay: true },
    {
      name: "is not one that lives: which of two has a port is not decided here",
      one: other,
      owner: "living",
      inTheWay: false,
    },
    {
      name: "is not one that has ended: it holds no port",
      one: { ...other, state: "exited" },
      owner: "nobody",
      inTheWay: false,
    },
    {
      name: "is not one on another port",
      one: { ...other, hostPorts: ["UDP/8080/0.0.0.0"] },
      owner: "nobody",
      inTheWay: false,
    },
  ])("$name", ({ one, owner, inTheWay }) => {
    const found = predecessorsOf(work, [aContainer("main", one)], () => owner);
    expect(found.length === 1).toBe(inTheWay);
  });
});
