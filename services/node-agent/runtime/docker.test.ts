import Docker from "dockerode";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { runtimeContract } from "./contract.ts";
import { dockerRuntime } from "./docker.ts";
import type { ContainerRuntime } from "./runtime.ts";
import { testImage } from "./test-image.ts";

const docker = new Docker();
const ports = { clock: systemClock, log: createLog("test", "error") };
let runtime: ContainerRuntime;
let image = "";

beforeAll(async () => {
  image = await testImage(docker);
  runtime = await dockerRuntime({ docker, cluster: "contract", node: "n1", ...ports });
});
afterAll(async () => {
  await Promise.all(runtime.containers().map(({ id }) => runtime.remove(id)));
  await runtime[Symbol.asyncDispose]();
});

runtimeContract("dockerRuntime", async () => ({ runtime, image, missingImage: "berth/absent:v0" }));

test("a runtime sees its own node's containers only", async () => {
  await using other = await dockerRuntime({ docker, cluster: "contract", node: "n2", ...ports });
  expect(other.containers()).toEqual([]);
});

test("the engine names itself", async () => {
  expect((await runtime.engine()).version).toMatch(/^docker:\/\/\d+/);
});
