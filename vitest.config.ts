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

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          // Some have containers, and an engine on a busy machine takes its time.
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
