import { dequal } from "dequal";
import { templateGenerationAnnotation } from "../model/kinds/daemonset.ts";
import type { AnyObject } from "./context.ts";

/**
 * A DaemonSet with the number of its template in an annotation, which its pods bear as a label: from 1,
 * or what a new one asks for; one more with each change of the template. Updates cannot set it.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/apps/daemonset/strategy.go
 */
export function withTemplateGeneration(self: AnyObject, before: AnyObject | undefined): AnyObject {
  const number = before === undefined ? Math.max(generationIn(self), 1) : nextOf(before, self);
  const annotations = {
    ...self.metadata.annotations,
    [templateGenerationAnnotation]: String(number),
  };
  return { ...self, metadata: { ...self.metadata, annotations } };
}

function nextOf(before: AnyObject, after: AnyObject): number {
  const was = Math.max(generationIn(before), 1);
  return dequal(before.spec?.["template"], after.spec?.["template"]) ? was : was + 1;
}

function generationIn({ metadata: { annotations } }: AnyObject): number {
  const text = annotations?.[templateGenerationAnnotation] ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
