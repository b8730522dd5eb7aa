/**
 * Objects, lists and events in protobuf. As with JSON an object's bytes are made once: objects of a
 * cut never change, and all readers share them.
 */
import * as z from "zod";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { templateMetadata } from "../../../libs/model/metadata.ts";
import { encodeMessage } from "./encode.ts";
import { fieldHead, sealed } from "./envelope.ts";
import { listMeta } from "./messages.ts";

type Shown = { readonly kind: Kind; readonly view: string | undefined };

/** meta.v1.PartialObjectMetadata. */
const partialMetadata = z.object({
  metadata: templateMetadata.meta({ proto: 1 }),
});

const whole = new WeakMap<object, Uint8Array>();
const partial = new WeakMap<object, Uint8Array>();

/** An object's message, without its envelope. */
function messageOf(object: AnyObject, { kind, view }: Shown): Uint8Array {
  const [memory, schema] =
    view === "PartialObjectMetadata" ? [partial, partialMetadata] : [whole, kind.schema];
  const known = memory.get(object);
  if (known !== undefined) return known;
  const made = encodeMessage(schema, object);
  memory.set(object, made);
  return made;
}

export function protobufObject(object: AnyObject, shown: Shown): Uint8Array {
  const raw = messageOf(object, shown);
  return shown.view === "PartialObjectMetadata"
    ? sealed("meta.k8s.io/v1", "PartialObjectMetadata", [raw])
    : sealed(apiVersionOf(shown.kind), shown.kind.kind, [raw]);
}

export function protobufList(
  objects: readonly AnyObject[],
  meta: object,
  shown: Shown,
): Uint8Array {
  const head = encodeMessage(listMeta, meta);
  const items = objects.flatMap((object) => {
    const raw = messageOf(object, shown);
    return [fieldHead(2, raw.byteLength), raw];
  });
  const parts = [fieldHead(1, head.byteLength), head, ...items];
  return shown.view === "PartialObjectMetadata"
    ? sealed("meta.k8s.io/v1", "PartialObjectMetadataList", parts)
    : sealed(apiVersionOf(shown.kind), `${shown.kind.kind}List`, parts);
}

/** A frame of a watch: its length in 32 bits, then a meta.v1.WatchEvent of an object in its envelope. */
export function protobufEvent(type: string, object: Uint8Array): Uint8Array {
  const name = Buffer.from(type);
  const rawHead = fieldHead(1, object.byteLength);
  const parts = [
    fieldHead(1, name.byteLength),
    name,
    fieldHead(2, rawHead.byteLength + object.byteLength),
    rawHead,
    object,
  ];
  const length = Buffer.alloc(4);
  length.writeUInt32BE(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  return Buffer.concat([length, ...parts]);
}
