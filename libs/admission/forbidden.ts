import { ApiError } from "../model/errors.ts";

/** Admission's refusal of an object, in Kubernetes' words. `resource` is its plural, `group` empty for the core's. */
export function forbidden(
  { group, resource }: { readonly group: string; readonly resource: string },
  name: string,
  why: string,
): ApiError {
  const full = group === "" ? resource : `${resource}.${group}`;
  const details = { name, kind: resource, ...(group !== "" && { group }) };
  return new ApiError("Forbidden", `${full} "${name}" is forbidden: ${why}`, details);
}
