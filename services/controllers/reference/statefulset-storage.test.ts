import { expect } from "vitest";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { statefulSet } from "../../../libs/model/kinds/statefulset.ts";
import { failed } from "./pod-report.ts";
import { type Case, kubernetesFile, referenceTable } from "./reference-table.ts";
import { claimNames, edit, make, names, page, remove, self, tell, www } from "./statefulset-run.ts";

/** What is left of the claims of 3 pods, scaled to 2 and then deleted. */
const retention = (
  whenDeleted: string,
  whenScaled: string,
  afterScale: readonly string[],
  afterDelete: readonly string[],
): Case => ({
  name: `claims: whenDeleted ${whenDeleted}, whenScaled ${whenScaled}`,
  source: `${page}#persistentvolumeclaim-retention`,
  check(run) {
    make(run, {
      replicas: 3,
      ...www,
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
    });
    run.finish();
    edit(run, { replicas: 2 });
    run.finish();
    expect(claimNames(run)).toEqual(afterScale);
    run.remove(statefulSet, "web");
    run.finish();
    expect(run.pods()).toEqual([]);
    expect(claimNames(run)).toEqual(afterDelete);
  },
});

const [www0, www1, www2] = ["www-web-0", "www-web-1", "www-web-2"] as const;
const storageCases: readonly Case[] = [
  retention("Retain", "Retain", [www0, www1, www2], [www0, www1, www2]),
  retention("Retain", "Delete", [www0, www1], [www0, www1]),
  retention("Delete", "Retain", [www0, www1, www2], []),
  retention("Delete", "Delete", [www0, www1], []),
  {
    name: "the policies do not apply to a pod that is replaced: its claim stays",
    source: `${page}#persistentvolumeclaim-retention`,
    check(run) {
      const all = { whenDeleted: "Delete", whenScaled: "Delete" };
      make(run, { replicas: 2, ...www, persistentVolumeClaimRetentionPolicy: all });
      run.finish();
      tell(run, "web-1", failed);
      run.finish();
      remove(run, "web-0");
      run.finish();
      expect(names(run.live())).toEqual(["web-0", "web-1"]);
      expect(claimNames(run)).toEqual([www0, www1]);
    },
  },
  {
    name: "a claim that was retained is the one of the pod that is made again when it scales up",
    source: `${page}#stable-storage`,
    check(run) {
      make(run, { replicas: 2, ...www });
      run.finish();
      edit(run, { replicas: 1 });
      run.finish();
      expect(claimNames(run)).toEqual([www0, www1]);
      edit(run, { replicas: 2 });
      run.finish();
      expect(claimNames(run)).toEqual([www0, www1]);
    },
  },
  {
    name: "the policies may be changed while it runs",
    source: `${page}#persistentvolumeclaim-retention`,
    check(run) {
      make(run, { replicas: 2, ...www });
      run.finish();
      const whenScaled = { whenDeleted: "Retain", whenScaled: "Delete" };
      edit(run, { persistentVolumeClaimRetentionPolicy: whenScaled });
      edit(run, { replicas: 1 });
      run.finish();
      expect(claimNames(run)).toEqual([www0]);
    },
  },
  {
    name: "a claim is called after its template and its pod, has what the template asks for, and the set's labels",
    source: `${page}#stable-storage`,
    check(run) {
      make(run, { replicas: 1, ...www });
      run.finish();
      const [{ spec: asked } = expect.unreachable()] = self(run).spec.volumeClaimTemplates ?? [];
      expect(run.get(persistentVolumeClaim, www0)).toMatchObject({
        metadata: { labels: { app: "web" } },
        spec: asked,
      });
      expect(run.notes.map(({ message }) => message)).toContain(
        "create Claim www-web-0 Pod web-0 in StatefulSet web success",
      );
    },
  },
  {
    name: "whenDeleted Delete makes the set the claims' owner, whenScaled Delete the pod that goes",
    source: kubernetesFile("pkg/controller/statefulset/stateful_set_utils.go"),
    check(run) {
      const all = { whenDeleted: "Delete", whenScaled: "Delete" };
      make(run, { replicas: 2, ...www, persistentVolumeClaimRetentionPolicy: all });
      run.finish();
      edit(run, { replicas: 1 });
      const owners = run
        .list(persistentVolumeClaim)
        .map(({ metadata }) => metadata.ownerReferences?.map(({ kind, name }) => [kind, name]));
      expect(owners).toEqual([[["StatefulSet", "web"]], [["Pod", "web-1"]]]);
    },
  },
];

referenceTable("a StatefulSet's claims", storageCases);
