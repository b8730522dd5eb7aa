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
          testTimeout: 30_000,
          hookTimeout: 30_000,
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
