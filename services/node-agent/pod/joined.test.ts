import { describe, expect, test } from "vitest";
import { sandboxName } from "../runtime/runtime.ts";
import { aContainer, aWork } from "./fixtures.ts";
import { joinedBy } from "./joined.ts";

const main = { name: "main", image: "web:v1" };
const specWith = (more: object = {}, ephemeral: object = {}) =>
  aWork({
    containers: [main],
    ephemeralContainers: [{ name: "debug", image: "box:v1", ...ephemeral }],
    ...more,
  }).spec;
const target = { targetContainerName: "main" };
const [app, sandbox] = [aContainer("main"), aContainer(sandboxName)];
const ended = aContainer("main", { state: "exited" });
const shared = { shareProcessNamespace: true };

describe("what a container joins", () => {
  test.each([
    ["of a pod's own: nothing", "main", specWith(), [], [undefined, undefined]],
    ["of a pod's own: the sandbox", "main", specWith(), [sandbox], ["_sandbox-0", undefined]],
    [
      "where processes are shared: those of the sandbox",
      "main",
      specWith(shared),
      [sandbox],
      ["_sandbox-0", "_sandbox-0"],
    ],
    ["of an ephemeral one: what runs", "debug", specWith(), [app], ["main-0", undefined]],
    [
      "of an ephemeral one: the sandbox",
      "debug",
      specWith(),
      [app, sandbox],
      ["_sandbox-0", undefined],
    ],
    [
      "of one that looks into another: its processes",
      "debug",
      specWith({}, target),
      [app],
      ["main-0", "main-0"],
    ],
    [
      "of one that looks into another where they are shared",
      "debug",
      specWith(shared, target),
      [app, sandbox],
      ["_sandbox-0", "_sandbox-0"],
    ],
    [
      "of one that looks into another where they are the machine's",
      "debug",
      specWith({ hostPID: true }, target),
      [app],
      ["main-0", undefined],
    ],
  ])("%s", (_name, container, spec, containers, [sandboxId, processesOf]) => {
    expect(joinedBy(container, spec, containers)).toEqual({ sandboxId, processesOf });
  });

  test.each([
    ["a target that does not run", specWith({}, target), [ended, sandbox], "CreateContainerError"],
    ["nothing that runs", specWith(), [ended], "ContainerCreating"],
    ["nothing but one like it", specWith(), [aContainer("debug")], "ContainerCreating"],
  ])("cannot be %s", (_name, spec, containers, reason) => {
    expect(() => joinedBy("debug", spec, containers)).toThrow(
      expect.objectContaining({ reason }) as Error,
    );
  });
});
