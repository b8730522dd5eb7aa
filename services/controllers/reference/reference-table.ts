/** Cases taken from Kubernetes' reference documentation, each run in a cluster of its own. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ReferenceCluster, referenceCluster } from "./reference-cluster.ts";

export type Case = {
  /** What is documented, as a sentence. */
  readonly name: string;
  /** Where: a page and its anchor, or the file of kube-controller-manager that does it. */
  readonly source: string;
  readonly check: (cluster: ReferenceCluster) => void;
};

/** The file of Kubernetes' sources that says what a page leaves open. */
export const kubernetesFile = (path: string): string =>
  `https://github.com/kubernetes/kubernetes/blob/master/${path}`;
export const concept = (page: string): string =>
  `https://kubernetes.io/docs/concepts/workloads/controllers/${page}`;
export const apiReference = (page: string): string =>
  `https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/${page}`;

export function referenceTable(subject: string, cases: readonly Case[]): void {
  describe(`${subject}, as it is documented,`, () => {
    for (const { name, source, check } of cases) {
      test(`${name} (${source})`, () => {
        expect.hasAssertions();
        check(referenceCluster());
      });
    }

    test("has as many cases as docs/reference-cases.md says, each with a name of its own", () => {
      const names = cases.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(countIn(basename(expect.getState().testPath ?? ""))).toBe(names.length);
    });
  });
}

/** What the document's row of a file says: `| ReplicaSet | 29 | [replicaset.test.ts](…) |`. */
function countIn(file: string): number {
  const path = join(import.meta.dirname, "../../../docs/reference-cases.md");
  const row = readFileSync(path, "utf8")
    .split("\n")
    .find((line) => line.includes(`[${file}]`));
  return Number(row?.split("|")[2]);
}
