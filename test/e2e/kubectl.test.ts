/** Each command of kubectl, as its users type it, one after the other, on a cluster with real pods. */
import { execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/tools/paths.ts";
import { ensureHelm, ensureKubectl } from "../../scripts/tools/tools.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { type Case, mismatch, wordsOf } from "../kubectl/case.ts";
import { changeCases } from "../kubectl/change.ts";
import { createCases } from "../kubectl/create.ts";
import { debugCases } from "../kubectl/debug.ts";
import { readCases } from "../kubectl/read.ts";
import { role, signingRequest, widgets } from "../kubectl/files.ts";
import { helmCases } from "../kubectl/helm.ts";
import { tellCases } from "../kubectl/tell.ts";
import { workCases } from "../kubectl/work.ts";

let cluster: TestCluster;
let programs: Readonly<Record<"kubectl" | "helm", string>>;
let home: string;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
  programs = { kubectl: await ensureKubectl(), helm: await ensureHelm() };
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

function run({ program = "kubectl", run: words, input, env }: Case): Promise<Ran> {
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

const all = [
  ...createCases,
  ...readCases,
  ...tellCases,
  ...changeCases,
  ...debugCases,
  ...workCases,
];
const told = (one: Case) => ({ ...one, title: `${one.program ?? "kubectl"} ${one.run}` });

async function check(wanted: Case): Promise<void> {
  if (wanted.until === undefined) return judge(wanted, await run(wanted));
  await eventually("it prints that", async () => judge(wanted, await run(wanted)));
}

describe("kubectl", () => {
  test("is asked for enough", () => expect(all.length).toBeGreaterThanOrEqual(150));

  test.for(all.map(told))("$title", (wanted) => check(wanted));
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
  test.for(helmCases.map(told))("$title", (wanted) => check(wanted));
});
