/** The objects that a policy's binding takes its parameters from. Pure. */
import type { ClusterView } from "../cluster/view.ts";
import type { Kind } from "../model/kind.ts";
import type { ParamKind, ParamRef } from "../model/webhooks/policy.ts";
import { inForm } from "./request.ts";

export type ParamsOptions = {
  readonly kind: ParamKind | undefined;
  readonly ref: ParamRef | undefined;
  /** Of the request. */
  readonly namespace: string | undefined;
  readonly view: ClusterView;
  /** Any kind that is served. */
  readonly kindOf: (apiVersion: string, kind: string) => Kind | undefined;
};

/** A binding that cannot be used as it is; the message is in Kubernetes' words. */
export class Misconfigured extends Error {
  override readonly name = "Misconfigured";
}

/**
 * The policy is evaluated once with each; `null` where it has none. Empty: it is not evaluated.
 *
 * @throws {Misconfigured}
 */
export function paramsOf({
  kind,
  ref,
  namespace,
  view,
  kindOf,
}: ParamsOptions): readonly unknown[] {
  if (kind === undefined || ref === undefined) return [null];
  const { apiVersion = "", kind: name = "" } = kind;
  const found = kindOf(apiVersion, name);
  if (found === undefined) {
    throw new Misconfigured(`paramKind kind \`${apiVersion}, Kind=${name}\` not known`);
  }
  const home = homeOf(found, ref, namespace);
  const params = selected(found, ref, home, view).map((object) => inForm(found, object));
  if (params.length === 0 && ref.parameterNotFoundAction === "Deny") {
    throw new Misconfigured(
      "no params found for policy binding with `Deny` parameterNotFoundAction",
    );
  }
  return params;
}

function homeOf(kind: Kind, ref: ParamRef, namespace: string | undefined): string | undefined {
  const named = ref.namespace ?? "";
  if (!kind.namespaced) {
    if (named === "") return undefined;
    throw new Misconfigured(
      "paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
    );
  }
  const home = named === "" ? namespace : named;
  if (home !== undefined) return home;
  throw new Misconfigured(
    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
  );
}

function selected(
  kind: Kind,
  { name = "", selector }: ParamRef,
  namespace: string | undefined,
  view: ClusterView,
): readonly unknown[] {
  const stored = kind.stored?.kind ?? kind;
  if (name !== "") {
    const found: unknown = view.get(stored, namespace, name);
    return found === undefined ? [] : [found];
  }
  return view.list(stored, {
    ...(namespace !== undefined && { namespace }),
    ...(selector && { selector }),
  });
}
