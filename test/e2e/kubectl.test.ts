/** Each command of kubectl, as its users type it, one after the other, on a cluster with real pods. */
import { execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/tools/paths.ts";
import { run } from "../../scripts/tools/run.ts";
import { ensureHelm, ensureKubectl, ensureKubectl132 } from "../../scripts/tools/tools.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { type Case, mismatch, wordsOf } from "../kubectl/case.ts";
import { allCases, commandsIn, everyCommand, goOn } from "../kubectl/every-command.ts";
import { role, signingRequest, widgets } from "../kubectl/files.ts";
import { helmCases } from "../kubectl/helm.ts";
import { asOlder } from "../kubectl/older.ts";
import { kubectlProcess } from "../kubectl-process.ts";

/** `npm run kubectl` chooses another than the newest; it runs everything. */
const chosen = process.env["BERTH_KUBECTL"];
const isOlder =
  chosen !== undefined && (await run(chosen, ["version", "--client"])).includes("v1.32.");

let cluster: TestCluster;
let programs: Readonly<Record<"kubectl" | "older" | "helm", string>>;
let home: string;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
  programs = {
    kubectl: chosen ?? (await ensureKubectl()),
    older: await ensureKubectl132(),
    helm: await ensureHelm(),
  };
  home = await mkdtemp(join(tmpdir(), "berth-kubectl-"));
  await writeFile(join(home, "note.txt"), "a note\n");
  await writeFile(join(home, "widgets.yaml"), widgets);
  await writeFile(join(home, "role.yaml"), role);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(
    join(home, "request.yaml"),
    await signingRequest("ann", { privateKey, publicKey }),
  );
  await mkdir(join(home, "kustomization"));
  const kustomization =
    "generatorOptions: { disableNameSuffixHash: true }\nconfigMapGenerator: [{ name: kustomized, literals: [a=b] }]\n";
  await writeFile(join(home, "kustomization", "kustomization.yaml"), kustomization);
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
});

type Ran = { readonly out: string; readonly err: string; readonly code: number };

type Program = keyof typeof programs;

function runCase({ run: words, input, env }: Case, program: Program): Promise<Ran> {
  const options = {
    cwd: home,
    env: { ...process.env, HOME: home, KUBECONFIG: cluster.kubeconfig, ...env },
    timeout: 150_000,
  };
  return new Promise((resolve, reject) => {
    const child = execFile(programs[program], wordsOf(words), options, (error, out, err) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ out, err, code: error === null ? 0 : Number(error.code) });
    });
    child.stdin?.end(input);
  });
}

function judge(wanted: Case, { out, err, code }: Ran): void {
  const wrong = [
    ...(code === (wanted.code ?? 0) ? [] : [`exit code ${code}`]),
    mismatch(wanted.out ?? "", out),
    mismatch(wanted.err ?? "", err),
  ].filter((fault) => fault !== undefined);
  expect(wrong, `${wanted.run}\n${out}${err}`).toEqual([]);
}

const told = (one: Case) => ({ ...one, title: `${one.program ?? "kubectl"} ${one.run}` });

async function check(wanted: Case, program: Program): Promise<void> {
  const once = async () => judge(wanted, await runCase(wanted, program));
  await (wanted.until === undefined ? once() : eventually("it prints that", once));
}

describe("kubectl", () => {
  test("is asked for enough", () => expect(allCases.length).toBeGreaterThanOrEqual(150));

  const cases = isOlder ? allCases.map(asOlder) : allCases;
  test.for(cases.map(told))("$title", (wanted) => check(wanted, "kubectl"));
});

// On the same cluster: the suite leaves nothing behind.
describe.skipIf(chosen !== undefined)("kubectl 1.32", () => {
  const goesOn = async (args: readonly string[], says: RegExp) => {
    await using one = await kubectlProcess(cluster, args, { program: programs.older });
    await one.says(says);
  };

  test("is asked for each of its commands", async () => {
    const { out } = await runCase({ run: "--help", source: "kubectl/pkg/cmd/cmd.go" }, "older");
    const commands = commandsIn(out);
    expect(commands.length).toBeGreaterThan(40);
    const asked = new Set([...everyCommand.map(({ run: words }) => words.split(" ")[0]), ...goOn]);
    expect(commands.filter((command) => !asked.has(command))).toEqual([]);
  });

  const last = everyCommand.findIndex(({ run: words }) => words.startsWith("taint"));
  const cases = everyCommand.map(asOlder).map(told);
  test.for(cases.slice(0, last))("$title", (wanted) => check(wanted, "older"));

  test("forwards, proxies and attaches until it is ended", async () => {
    await goesOn(
      ["port-forward", "pod/single", ":8080"],
      /Forwarding from 127\.0\.0\.1:\d+ -> 8080/u,
    );
    await goesOn(["proxy", "--port=0"], /Starting to serve on 127\.0\.0\.1:\d+/u);
    const attached = { program: programs.older };
    await using one = await kubectlProcess(cluster, ["attach", "box"], attached);
    await eventually("it tells what the container prints", async () => {
      await cluster.kubectl(["exec", "box", "--", "sh", "-c", "echo seen > /proc/1/fd/1"]);
      expect(one.stdout()).toContain("seen");
    });
  });

  test.for(cases.slice(last))("$title", (wanted) => check(wanted, "older"));
});

describe("an operator from outside", () => {
  test("keeps a Deployment for each of its objects, and cleans up", async () => {
    const { kubectl } = cluster;
    const operator = spawn(process.execPath, [join(root, "examples/operator/operator.ts")], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
      stdio: ["ignore", "ignore", "inherit"],
    });
    try {
      const site = (replicas: number) =>
        `{ apiVersion: example.dev/v1, kind: Website, metadata: { name: shop }, spec: { greeting: Ahoy, replicas: ${replicas} } }`;
      const inDefault = ["-n", "default"];
      const apply = (replicas: number) =>
        kubectl([...inDefault, "apply", "-f", "-"], site(replicas));
      await eventually("the kind is served", () => apply(1));
      await kubectl([...inDefault, "wait", "--for=create", "deployment/shop", "--timeout=60s"]);
      await kubectl([...inDefault, "rollout", "status", "deployment/shop", "--timeout=120s"]);
      const shown = ["get", "site", "--no-headers"];
      expect(await kubectl([...inDefault, ...shown])).toMatch(/^shop\s+Ahoy\s+Deployed\s*$/m);
      await apply(2);
      const replicas = ["get", "deployment", "shop", "-o", "jsonpath={.spec.replicas}"];
      await eventually("the Deployment is larger", async () =>
        expect(await kubectl([...inDefault, ...replicas])).toBe("2"),
      );
      await kubectl([...inDefault, "delete", "website", "shop", "--timeout=60s"]);
      const gone = [...inDefault, "get", "deployment", "shop", "--ignore-not-found"];
      expect(await kubectl(gone)).toBe("");
    } finally {
      operator.kill("SIGTERM");
    }
  });
});

describe("Helm", () => {
  test.for(helmCases.map(told))("$title", (wanted) => check(wanted, wanted.program ?? "kubectl"));
});
