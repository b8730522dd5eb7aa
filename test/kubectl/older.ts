/** What kubectl 1.32 says otherwise than 1.36 does, of itself and not of the cluster. */
import type { Case } from "./case.ts";

type Difference = Partial<Pick<Case, "run" | "err">> & Pick<Case, "source">;

const differences: Readonly<Record<string, Difference>> = {
  "autoscale deployment web --min=1 --max=3 --cpu=80%": {
    run: "autoscale deployment web --min=1 --max=3 --cpu-percent=80",
    source: "kubectl/pkg/cmd/autoscale/autoscale.go of v1.32: there is no --cpu",
  },
  "version -o json": {
    err: "WARNING: version difference between client (1.32) and server (1.36) exceeds the supported minor version skew of +/-1",
    source: "kubectl/pkg/cmd/version/skew_warning.go",
  },
  "scale deployment nothing --replicas=2": {
    err: 'error: no objects passed to scale deployments.apps "nothing" not found',
    source: "kubectl/pkg/cmd/scale/scale.go of v1.32",
  },
  "logs box -c nothing": {
    err: "error: container nothing is not valid for pod box",
    source: "kubectl/pkg/polymorphichelpers/logsforobject.go of v1.32",
  },
  "exec box -c nothing -- true": {
    err: "Error from server (BadRequest): container nothing is not valid for pod box",
    source: "kubectl/pkg/cmd/exec/exec.go of v1.32: the server is asked",
  },
};

/** The case as 1.32 runs it. */
export function asOlder(one: Case): Case {
  // kubectl/pkg/cmd/delete/delete.go of v1.32: it does not tell the namespace.
  const out = one.out?.replaceAll(/(deleted) from \w+ namespace/g, "$1");
  const difference = differences[one.run];
  return { ...one, ...(out !== undefined && { out }), ...difference };
}
