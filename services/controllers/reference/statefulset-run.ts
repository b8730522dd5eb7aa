/** What the cases of a StatefulSet do to it, and look at. */
import { expect } from "vitest";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { statefulSet } from "../../../libs/model/kinds/statefulset.ts";
import { ready, type Report, running } from "./pod-report.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import { concept } from "./reference-table.ts";
import { imageOf, template, web } from "./web.ts";

export const page = concept("statefulset/");
export const self = (run: ReferenceCluster) => run.get(statefulSet, "web");
export const make = (run: ReferenceCluster, spec: object = {}) =>
  run.create(statefulSet, "web", web({ serviceName: "web", ...spec }));
export const edit = (run: ReferenceCluster, spec: object) => {
  run.edit(statefulSet, "web", { ...spec });
  run.settle();
};
export const roll = (run: ReferenceCluster, image: string) =>
  edit(run, { template: template(image) });

export const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);
/** The image of each live pod, in the order of their numbers. */
export const imagesInOrder = (run: ReferenceCluster) => run.live().map(imageOf);
export const tell = (run: ReferenceCluster, name: string, said: Report = ready) => {
  run.report(run.get(pod, name), said);
  run.settle();
};
export const broken = (run: ReferenceCluster, name: string) => tell(run, name, running);
/** A pod that was deleted is gone, and all act. */
export const gone = (run: ReferenceCluster, name: string) => {
  run.gone(run.get(pod, name));
  run.settle();
};
export const remove = (run: ReferenceCluster, name: string) => {
  run.remove(pod, name);
  run.settle();
};
export const claimNames = (run: ReferenceCluster) =>
  run.list(persistentVolumeClaim).map(({ metadata }) => metadata.name);
export const www = {
  volumeClaimTemplates: [
    {
      metadata: { name: "www" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
  ],
};
export const status = (run: ReferenceCluster) => self(run).status ?? expect.unreachable();
