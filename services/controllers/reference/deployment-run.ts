/** What the cases of a Deployment do to it, and look at. */
import { expect } from "vitest";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import { concept } from "./reference-table.ts";
import { imagesOf, template, templateImage, web } from "./web.ts";

export const page = concept("deployment/");
export const revision = "deployment.kubernetes.io/revision";
export const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
});

export const self = (run: ReferenceCluster) => run.get(deployment, "web");
export const make = (run: ReferenceCluster, spec: object = {}, metadata = {}) =>
  run.create(deployment, "web", web(spec), metadata);
export const edit = (run: ReferenceCluster, spec: object) =>
  run.edit(deployment, "web", { ...spec });
export const roll = (run: ReferenceCluster, image: string) =>
  edit(run, { template: template(image) });

/** The Deployment's set of that image. */
export const setOf = (run: ReferenceCluster, image: string) =>
  run.list(replicaSet).find((one) => templateImage(one) === image) ?? expect.unreachable(image);
/** How large its sets are, by image. */
export const sizes = (run: ReferenceCluster) =>
  Object.fromEntries(run.list(replicaSet).map((one) => [templateImage(one), one.spec.replicas]));
export const images = (run: ReferenceCluster) => imagesOf(run.live());
export const condition = (run: ReferenceCluster, type: string) =>
  self(run).status?.conditions?.find((one) => one.type === type);
