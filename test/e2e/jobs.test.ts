/** Work that ends: Jobs and CronJobs, told with unmodified kubectl. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 2, controllers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const kubectl = (line: string, input?: string) => cluster.kubectl(line.split(" "), input);
const jsonpath = (resource: string, path: string) =>
  cluster.kubectl(["get", ...resource.split(" "), "-o", `jsonpath=${path}`]);
const ended = (name: string, condition: "complete" | "failed") =>
  kubectl(`wait --for=condition=${condition} job/${name} --timeout=90s`);

/** Applies a Job whose pods run `script`. */
function apply(name: string, spec: object, script: string): Promise<string> {
  const container = { name: "work", image: "berth/hello:v1", command: ["sh", "-c", script] };
  const own = { restartPolicy: "Never", terminationGracePeriodSeconds: 1 };
  const template = { spec: { ...own, containers: [container] } };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: { ...spec, template },
  };
  return kubectl("apply -f -", JSON.stringify(job));
}

describe("kubectl create job", () => {
  test("runs a command to its end, with its logs and its story", async () => {
    await cluster.kubectl([
      ..."create job once --image=berth/hello:v1 -- sh -c".split(" "),
      "echo done; exit 0",
    ]);
    await ended("once", "complete");
    expect(await kubectl("logs job/once")).toBe("done\n");
    const table = await kubectl("get jobs");
    expect(table).toMatch(/NAME +STATUS +COMPLETIONS +DURATION +AGE/);
    expect(table).toMatch(/once +Complete +1\/1 /);
    const story = await kubectl("describe job once");
    expect(story).toContain("1 Succeeded");
    await eventually("its Events are told", async () => {
      expect(await kubectl("describe job once")).toMatch(/SuccessfulCreate[^]*Completed/);
    });
    expect(await jsonpath("pods -l job-name=once", "{.items[*].status.phase}")).toBe("Succeeded");
  });

  test("and its deletion takes the pods along", async () => {
    await kubectl("delete job once");
    await eventually("its pods are gone", async () => {
      expect(await jsonpath("pods -l job-name=once", "{.items}")).toBe("[]");
    });
  });
});

describe("a Job", () => {
  test("completes as often as it is to", async () => {
    await apply("thrice", { completions: 3, parallelism: 2 }, "exit 0");
    await ended("thrice", "complete");
    expect(await jsonpath("job thrice", "{.status.succeeded}")).toBe("3");
    const phases = await jsonpath("pods -l job-name=thrice", "{.items[*].status.phase}");
    expect(phases).toBe("Succeeded Succeeded Succeeded");
  });

  test("fails beyond its limit of failures", async () => {
    await apply("broken", { backoffLimit: 1 }, "exit 3");
    await ended("broken", "failed");
    expect(await jsonpath("job broken", "{.status.failed}")).toBe("2");
    const reasons = "{.status.conditions[*].reason}";
    expect(await jsonpath("job broken", reasons)).toBe("BackoffLimitExceeded BackoffLimitExceeded");
    expect(await kubectl("get jobs broken")).toMatch(/broken +Failed +0\/1 /);
  });

  test("restarts a container in place where it is to", async () => {
    const script = "test -e /shared/again || { touch /shared/again; exit 1; }";
    const container = {
      name: "work",
      image: "berth/hello:v1",
      command: ["sh", "-c", script],
      volumeMounts: [{ name: "shared", mountPath: "/shared" }],
    };
    const volumes = [{ name: "shared", emptyDir: {} }];
    const spec = { restartPolicy: "OnFailure", containers: [container], volumes };
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "again" },
      spec: { template: { spec } },
    };
    await kubectl("apply -f -", JSON.stringify(job));
    await ended("again", "complete");
    const restarts = "{.items[*].status.containerStatuses[0].restartCount}";
    expect(await jsonpath("pods -l job-name=again", restarts)).toBe("1");
  });

  test("of indexes tells each pod its own", async () => {
    const spec = { completions: 3, parallelism: 3, completionMode: "Indexed" };
    await apply("indexed", spec, 'echo "$JOB_COMPLETION_INDEX $(hostname)"');
    await ended("indexed", "complete");
    expect(await jsonpath("job indexed", "{.status.completedIndexes}")).toBe("0-2");
    const names = await jsonpath("pods -l job-name=indexed", "{.items[*].metadata.name}");
    const said = await Promise.all(names.split(" ").map((name) => kubectl(`logs ${name}`)));
    expect(said.toSorted()).toEqual(["0 indexed-0\n", "1 indexed-1\n", "2 indexed-2\n"]);
  });

  test("fails at once for an exit code of its failure policy", async () => {
    const rule = { action: "FailJob", onExitCodes: { operator: "In", values: [42] } };
    await apply("hopeless", { podFailurePolicy: { rules: [rule] } }, "exit 42");
    await ended("hopeless", "failed");
    expect(await jsonpath("job hopeless", "{.status.conditions[*].reason}")).toContain(
      "PodFailurePolicy",
    );
    expect(await jsonpath("job hopeless", "{.status.failed}")).toBe("1");
  });

  test("is suspended and resumed", async () => {
    await apply("paused", { suspend: true }, "exit 0");
    await kubectl("wait --for=condition=suspended job/paused --timeout=30s");
    expect(await jsonpath("pods -l job-name=paused", "{.items}")).toBe("[]");
    await cluster.kubectl(["patch", "job", "paused", "-p", '{"spec":{"suspend":false}}']);
    await ended("paused", "complete");
  });

  test("goes with its time to live", async () => {
    await apply("brief", { ttlSecondsAfterFinished: 1 }, "exit 0");
    await eventually("it has been and is gone", async () => {
      expect(await kubectl("get jobs,pods -l job-name=brief --ignore-not-found")).toBe("");
      expect(await kubectl("get events --field-selector=involvedObject.name=brief")).toContain(
        "Completed",
      );
    });
  });

  test("lets a running pod go when it is deleted", async () => {
    await apply("endless", {}, "exec sleep 3600");
    await eventually("its pod runs", async () => {
      expect(await jsonpath("pods -l job-name=endless", "{.items[0].status.phase}")).toBe(
        "Running",
      );
    });
    await kubectl("delete job endless --cascade=foreground --timeout=60s");
    expect(await jsonpath("pods -l job-name=endless", "{.items}")).toBe("[]");
  });
});

describe("a CronJob", () => {
  test("gives a Job at any time", async () => {
    await cluster.kubectl([
      ..."create cronjob nightly --image=berth/hello:v1 --schedule".split(" "),
      "0 3 * * *",
      ..."-- echo morning".split(" "),
    ]);
    await kubectl("create job now --from=cronjob/nightly");
    await ended("now", "complete");
    expect(await kubectl("logs job/now")).toBe("morning\n");
    expect(await kubectl("get cronjobs")).toMatch(
      /nightly +0 3 \* \* \* +<none> +False +0 +<none>/,
    );
    expect(await kubectl("describe cronjob nightly")).toContain(
      "Schedule:                      0 3 * * *",
    );
    await eventually("it has seen the success", async () => {
      expect(await jsonpath("cronjob nightly", "{.status.lastSuccessfulTime}")).not.toBe("");
    });
    await kubectl("delete cronjob nightly");
    await eventually("its Jobs and their pods are gone", async () => {
      expect(await kubectl("get jobs,pods -l job-name=now --ignore-not-found")).toBe("");
      expect(await kubectl("get jobs now --ignore-not-found")).toBe("");
    });
  });

  test("starts Jobs by itself", async () => {
    const container = { name: "work", image: "berth/hello:v1", command: ["true"] };
    const template = { spec: { restartPolicy: "Never", containers: [container] } };
    const cronJob = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "often" },
      spec: { schedule: "@every 1s", jobTemplate: { spec: { template } } },
    };
    await kubectl("apply -f -", JSON.stringify(cronJob));
    await eventually("one of its Jobs has succeeded", async () => {
      expect(await jsonpath("cronjob often", "{.status.lastSuccessfulTime}")).not.toBe("");
    });
    const names = await jsonpath("jobs", "{.items[*].metadata.name}");
    expect(names).toMatch(/often-\d+/);
    await kubectl("delete cronjob often");
  });

  test("is refused with a schedule that is none", async () => {
    const create = "create cronjob never --image=berth/hello:v1 --schedule=sometimes";
    await expect(kubectl(create)).rejects.toThrow("spec.schedule");
  });
});
