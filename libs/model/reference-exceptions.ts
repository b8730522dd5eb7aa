/** Where kinds differ from Kubernetes' declarations on purpose, each with its reason. */
export const exceptions: readonly {
  readonly because: string;
  readonly fields: readonly string[];
}[] = [];

/** Kinds that are not served. */
export const unserved: Readonly<Record<string, string>> = {};

/** Defaults that Kubernetes' functions fill in; its declarations do not tell them. */
export const defaults: Readonly<Record<string, unknown>> = {};
