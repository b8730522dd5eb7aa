import { describe, expect, test } from "vitest";
import { BadOptions, optionsFrom } from "./options.ts";

describe("options of npm start", () => {
  test("come from arguments, else from the environment, else by default", () => {
    const env = {
      BERTH_PORT: "7000",
      BERTH_NODES: "2",
      BERTH_NO_DEMO: "1",
      BERTH_POD_CIDR: "10.1.2.0/16",
      BERTH_LOG_LEVEL: "debug",
      BERTH_APIS: "",
    };
    const options = optionsFrom(["--port", "7001", "--fresh"], env);
    expect(options).toMatchObject({
      port: 7_001,
      nodes: 2,
      apis: 1,
      demo: false,
      fresh: true,
      podCIDR: "10.1.0.0/16",
      logLevel: "debug",
    });
    expect(options.serviceCIDR).toBeUndefined();
  });

  test.each<[string, readonly string[], NodeJS.ProcessEnv, RegExp]>([
    ["a range that is none", ["--pod-cidr", "10.1"], {}, /^--pod-cidr: /],
    ["a number that is none", [], { BERTH_NODES: "many" }, /^--nodes: /],
    ["too few", ["--apis", "0"], {}, /^--apis: /],
    ["an option that is none", ["--node", "2"], {}, /--node/],
    ["a size that is none", ["--hollow", "3", "--hollow-cpu", "four"], {}, /^--hollow-cpu: /],
    ["too many hollow nodes", [], { BERTH_HOLLOW: "5001" }, /^--hollow: /],
    ["a flag that is neither on nor off", [], { BERTH_FRESH: "maybe" }, /^--fresh: .*maybe/],
  ])("are refused by name: %s", (_what, argv, env, message) => {
    expect(() => optionsFrom(argv, env)).toThrow(BadOptions);
    expect(() => optionsFrom(argv, env)).toThrow(message);
  });

  test("hollow nodes are alone unless others are asked for, and have no demo", () => {
    const alone = optionsFrom(["--hollow", "1000", "--hollow-zones", "3"], {});
    expect(alone).toMatchObject({ hollow: 1_000, "hollow-zones": 3, nodes: 0, demo: false });
    const beside = optionsFrom(["--hollow", "5", "--nodes", "2"], {});
    expect(beside).toMatchObject({ hollow: 5, nodes: 2, demo: false });
    expect(optionsFrom([], {})).toMatchObject({ hollow: 0, nodes: 1, demo: true });
  });

  test("a flag in the environment can be off", () => {
    expect(optionsFrom([], { BERTH_NO_DEMO: "0" }).demo).toBe(true);
  });
});
