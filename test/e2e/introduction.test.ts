import { afterAll, beforeAll, describe } from "vitest";
import { type TestCluster, testCluster } from "../cluster.ts";
import { introductionStory } from "./introduction.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1, controllers: 2, schedulers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

describe("kubectl tells the introduction's story", () => {
  introductionStory(() => cluster);
});
