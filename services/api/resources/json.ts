import type { AnyObject } from "../../../libs/admission/context.ts";

/** An object's JSON is made once: objects of a cut never change, and all readers share them. */
const texts = new WeakMap<object, string>();
const metadataTexts = new WeakMap<object, string>();

export function jsonOf(object: AnyObject): string {
  return remembered(texts, object, () => JSON.stringify(object));
}

/** The object as a PartialObjectMetadata. */
export function metadataJsonOf(object: AnyObject): string {
  return remembered(metadataTexts, object, () =>
    JSON.stringify({
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: object.metadata,
    }),
  );
}

function remembered(memory: WeakMap<object, string>, object: object, make: () => string): string {
  const known = memory.get(object);
  if (known !== undefined) return known;
  const text = make();
  memory.set(object, text);
  return text;
}
