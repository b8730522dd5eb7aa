/** What roles allow. */
import * as z from "zod";
import { atomicList } from "../field.ts";
import { problem } from "../problem.ts";

const texts = (proto: number) =>
  z
    .array(z.string())
    .optional()
    .meta({ proto, ...atomicList });

/** @param where of a Role of a namespace, or of a ClusterRole: paths of URLs are in no namespace */
const policyRule = (where: "namespace" | "cluster") =>
  z
    .strictObject({
      verbs: z
        .array(z.string())
        .min(1, "Required value: verbs must contain at least one value")
        .meta({ proto: 1, ...atomicList }),
      apiGroups: texts(2),
      resources: texts(3),
      resourceNames: texts(4),
      nonResourceURLs: texts(5),
    })
    .superRefine(({ apiGroups = [], resources = [], resourceNames = [], ...rest }, context) => {
      const paths = rest.nonResourceURLs ?? [];
      const refuse = (detail: string) => {
        const shown = `${JSON.stringify(paths)}: ${detail}`;
        context.addIssue(problem("FieldValueInvalid", ["nonResourceURLs"], shown));
      };
      if (paths.length > 0) {
        if (where === "namespace") {
          refuse("namespaced rules cannot apply to non-resource URLs");
        } else if (apiGroups.length + resources.length + resourceNames.length > 0) {
          refuse("rules cannot apply to both regular resources and non-resource URLs");
        }
        return;
      }
      if (apiGroups.length === 0) {
        const detail = "resource rules must supply at least one api group";
        context.addIssue(problem("FieldValueRequired", ["apiGroups"], detail));
      }
      if (resources.length === 0) {
        const detail = "resource rules must supply at least one resource";
        context.addIssue(problem("FieldValueRequired", ["resources"], detail));
      }
    })
    .meta({ title: "rbac.v1.PolicyRule" });
export type PolicyRule = z.output<ReturnType<typeof policyRule>>;

export const rules = (where: "namespace" | "cluster") =>
  z
    .array(policyRule(where))
    .optional()
    .meta({ proto: 2, ...atomicList });
