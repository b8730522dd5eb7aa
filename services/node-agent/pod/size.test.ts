import { describe, expect, test } from "vitest";
import { sandboxName } from "../runtime/runtime.ts";
import { decidePod } from "./decide.ts";
import type { PodFacts } from "./facts.ts";
import { aContainer, aWork, now, textOf, theFacts } from "./fixtures.ts";
import { sizeOf } from "./size.ts";

const sandbox = aContainer(sandboxName);
const sidecar = { name: "proxy", image: "web:v1", restartPolicy: "Always" };
const setup = { name: "setup", image: "web:v1" };
const main = { name: "main", image: "web:v1" };
const up = new Map([["proxy-0", { started: true, ready: true, failed: undefined }]]);

type Case = { name: string; facts: Partial<PodFacts>; acts: string[] };

const cases = (table: readonly Case[]) =>
  test.each(table)("$name", ({ facts, acts }) => {
    expect(decidePod(theFacts(facts)).actions.map(textOf)).toEqual(acts);
  });

describe("a container that is to have another size", () => {
  const limited = (cpu: string, memory = "64Mi") => ({ limits: { cpu, memory } });
  const policies = (...names: string[]) => ({
    resizePolicy: names.map((resourceName) => ({
      resourceName,
      restartPolicy: "RestartContainer",
    })),
  });
  const of = (resources: object, more: object = {}) =>
    aWork({ containers: [{ ...main, resources, ...more }] });
  const has = (resources: object, more: object = {}) => [
    aContainer("main", { size: sizeOf({ resources }), ...more }),
  ];
  const wanted = { cpuShares: 2_048, cpuQuota: 200_000, memoryBytes: 2 ** 26 };
  const size = { ...wanted, memoryRequestBytes: 2 ** 26 };
  const resize = `resize main-0 ${JSON.stringify(size)}`;
  const restart = "stop main-0 30 Container main resize requires restart";
  const tried = (failed?: { message: string; retryAt: number }) =>
    new Map([["main-0", { size, failed }]]);

  cases([
    {
      name: "is given it",
      facts: { work: of(limited("2")), containers: has(limited("1")) },
      acts: [resize],
    },
    {
      name: "is left alone where it has it",
      facts: { work: of(limited("2")), containers: has(limited("2000m")) },
      acts: [],
    },
    {
      name: "is restarted where its policy says so",
      facts: { work: of(limited("2"), policies("cpu")), containers: has(limited("1")) },
      acts: [restart],
    },
    {
      name: "is not restarted for the policy of a resource that stays",
      facts: { work: of(limited("2"), policies("memory")), containers: has(limited("1")) },
      acts: [resize],
    },
    {
      name: "is restarted for what is kept of memory alone, where its policy says so",
      facts: {
        work: of({ requests: { memory: "2Mi" } }, policies("memory")),
        containers: has({ requests: { memory: "1Mi" } }),
      },
      acts: [restart],
    },
    {
      name: "is left alone where what was kept of memory is not known",
      facts: {
        work: of({ requests: { memory: "2Mi" } }, policies("memory")),
        containers: has(
          {},
          { size: { cpuShares: 2, cpuQuota: 0, memoryBytes: 0, memoryRequestBytes: undefined } },
        ),
      },
      acts: [],
    },
    {
      name: "is not asked for what the engine took",
      facts: { work: of(limited("2")), containers: has(limited("1")), resizes: tried() },
      acts: [],
    },
    {
      name: "is tried again once a failure is old enough",
      facts: {
        work: of(limited("2")),
        containers: has(limited("1")),
        resizes: tried({ message: "no", retryAt: now }),
      },
      acts: [resize],
    },
    {
      name: "waits after a failure",
      facts: {
        work: of(limited("2")),
        containers: has(limited("1")),
        resizes: tried({ message: "no", retryAt: now + 1 }),
      },
      acts: [],
    },
    {
      name: "is not waited for when the size is another again",
      facts: {
        work: of(limited("2", "128Mi")),
        containers: has(limited("1")),
        resizes: tried({ message: "no", retryAt: now + 1 }),
      },
      acts: [
        `resize main-0 ${JSON.stringify({ ...size, memoryBytes: 2 ** 27, memoryRequestBytes: 2 ** 27 })}`,
      ],
    },
    {
      name: "gets it as it is started anew",
      facts: {
        work: of(limited("2")),
        containers: has(limited("1"), { state: "exited", finishedAt: now }),
        replaced: new Set(["main-0"]),
      },
      acts: ["start main 1"],
    },
    {
      name: "is no init container that ends",
      facts: {
        work: aWork({ initContainers: [{ ...setup, resources: limited("2") }] }),
        containers: [aContainer("setup")],
      },
      acts: [],
    },
    {
      name: "may be a sidecar",
      facts: {
        work: aWork({
          initContainers: [{ ...sidecar, resources: limited("2") }],
          containers: [main],
        }),
        containers: [sandbox, aContainer("proxy"), aContainer("main")],
        probes: up,
      },
      acts: [resize.replace("main", "proxy")],
    },
  ]);
});
