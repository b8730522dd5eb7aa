import { defineConfig } from "vitest/config";

const shared = {
  include: [
    "{libs,services,scripts,examples}/**/*.test.ts",
    "test/*.test.ts",
    "test/sim/*.test.ts",
  ],
  exclude: ["**/node_modules/**", "test/fixtures/**"],
  restoreMocks: true,
};

/** Beside the rest, and with more time: an engine on a busy machine takes its own. */
const withContainers = [
  "services/node-agent/agent*-docker.test.ts",
  "services/node-agent/runtime/docker*.test.ts",
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          exclude: [...shared.exclude, ...withContainers],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: "engine",
          include: withContainers,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
