/** Whom a role is given to. */
import * as z from "zod";
import type { Cause } from "../errors.ts";
import { atomicList, atomicStruct } from "../field.ts";
import type { Column } from "../kind.ts";
import { problem } from "../problem.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

const subject = z
  .strictObject({
    kind: z.enum(["ServiceAccount", "User", "Group"]).meta({ proto: 1 }),
    apiGroup: z.string().optional().meta({ proto: 2 }),
    name: z.string().min(1, "Required value").meta({ proto: 3 }),
    namespace: z.string().optional().meta({ proto: 4, description: "Of a ServiceAccount." }),
  })
  .superRefine(({ kind, apiGroup, namespace = "" }, context) => {
    const wanted = kind === "ServiceAccount" ? "" : rbacGroup;
    if (apiGroup !== undefined && apiGroup !== wanted) {
      const detail = `${JSON.stringify(apiGroup)}: supported values: ${JSON.stringify(wanted)}`;
      context.addIssue(problem("FieldValueNotSupported", ["apiGroup"], detail));
    }
    if (kind === "ServiceAccount" && namespace === "") {
      context.addIssue(problem("FieldValueRequired", ["namespace"], ""));
    }
  })
  .overwrite(({ apiGroup, ...rest }) => ({
    ...rest,
    ...(rest.kind === "ServiceAccount"
      ? apiGroup !== undefined && apiGroup !== "" && { apiGroup }
      : { apiGroup: apiGroup ?? rbacGroup }),
  }))
  .meta({ title: "rbac.v1.Subject", ...atomicStruct });
export type Subject = z.output<typeof subject>;

const roleRef = (kinds: readonly ("ClusterRole" | "Role")[]) =>
  z
    .strictObject({
      apiGroup: z.enum([rbacGroup]).default(rbacGroup).meta({ proto: 1 }),
      kind: z.enum(kinds).meta({ proto: 2 }),
      name: z.string().min(1, "Required value").meta({ proto: 3 }),
    })
    .meta({ title: "rbac.v1.RoleRef", ...atomicStruct });

export const bindingFields = (kinds: readonly ("ClusterRole" | "Role")[]) => ({
  subjects: z
    .array(subject)
    .optional()
    .meta({ proto: 2, ...atomicList }),
  roleRef: roleRef(kinds).meta({ proto: 3, description: "The role; it cannot be changed." }),
});

type Binding = {
  readonly roleRef: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects?: readonly Subject[] | undefined;
};

export function roleIsImmutable({ roleRef: was }: Binding, { roleRef: is }: Binding): Cause[] {
  if (was.kind === is.kind && was.name === is.name && was.apiGroup === is.apiGroup) return [];
  const message = `Invalid value: ${JSON.stringify(is)}: cannot change roleRef`;
  return [{ reason: "FieldValueInvalid", field: "roleRef", message }];
}

const named = (kind: Subject["kind"]) => (binding: Binding) =>
  (binding.subjects ?? [])
    .filter((one) => one.kind === kind)
    .map(({ name, namespace = "" }) => (kind === "ServiceAccount" ? `${namespace}/${name}` : name))
    .join(", ");

export const bindingColumns: readonly Column<Binding>[] = [
  { name: "Role", type: "string", read: ({ roleRef: { kind, name } }) => `${kind}/${name}` },
  { name: "Users", type: "string", priority: 1, read: named("User") },
  { name: "Groups", type: "string", priority: 1, read: named("Group") },
  { name: "ServiceAccounts", type: "string", priority: 1, read: named("ServiceAccount") },
];
