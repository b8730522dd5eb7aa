/** What holds an object when it is deleted. */
type Held = { readonly metadata: { readonly finalizers?: readonly string[] | undefined } };

/** The same object when it has it. */
export function withFinalizer<T extends Held>(object: T, finalizer: string): T {
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(finalizer)) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}

/** The same object when it has none of them. */
export function withoutFinalizers<T extends Held>(object: T, released: readonly string[]): T {
  const { finalizers = [], ...metadata } = object.metadata;
  const kept = finalizers.filter((one) => !released.includes(one));
  if (kept.length === finalizers.length) return object;
  return { ...object, metadata: { ...metadata, ...(kept.length > 0 && { finalizers: kept }) } };
}
