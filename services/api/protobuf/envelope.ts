import protobuf from "protobufjs/minimal.js";
import { ApiError } from "../../../libs/model/errors.ts";
import { WireWriter } from "./wire-writer.ts";

/** What Kubernetes puts around every object in protobuf: `k8s\0`, then a `runtime.Unknown`. */
export type Envelope = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
};

const magic = Buffer.from("k8s\0", "latin1");

/** @throws {ApiError} BadRequest for what is no such envelope */
export function openEnvelope(body: Uint8Array): Envelope {
  if (!magic.equals(body.subarray(0, magic.length))) {
    throw new ApiError(
      "BadRequest",
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  }
  return guarded(() => {
    const unknown = fieldsOf(body.subarray(magic.length));
    const type = fieldsOf(lastBytes(unknown, 1) ?? new Uint8Array());
    const text = (field: number) =>
      new TextDecoder().decode(lastBytes(type, field) ?? new Uint8Array());
    return { apiVersion: text(1), kind: text(2), raw: lastBytes(unknown, 2) ?? new Uint8Array() };
  });
}

export type WireValue =
  | { readonly wire: "varint"; readonly value: number }
  | { readonly wire: "bytes"; readonly value: Uint8Array }
  | { readonly wire: "double"; readonly value: number };

/** A message's fields, each with all its values in order. Throws on what is cut short. */
export function fieldsOf(message: Uint8Array): ReadonlyMap<number, readonly WireValue[]> {
  const reader = protobuf.Reader.create(message);
  const fields = new Map<number, WireValue[]>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const values = fields.get(tag >>> 3) ?? [];
    const value = wireValue(reader, tag & 7);
    if (value === undefined) continue;
    values.push(value);
    fields.set(tag >>> 3, values);
  }
  return fields;
}

/** Runs a decoding; whatever it stumbles over is the body's fault. */
export function guarded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(
      "BadRequest",
      "the body is not a valid protobuf message",
      {},
      { cause: error },
    );
  }
}

function wireValue(reader: protobuf.Reader, wire: number): WireValue | undefined {
  switch (wire) {
    case 0:
      return { wire: "varint", value: numberOf(reader.int64()) };
    case 1:
      return { wire: "double", value: reader.double() };
    case 2:
      return { wire: "bytes", value: reader.bytes() };
    default:
      reader.skipType(wire);
      return undefined;
  }
}

/** Beyond ±2⁵³ it is not exact; no schema takes that. */
const numberOf = (value: ReturnType<protobuf.Reader["int64"]>): number =>
  typeof value === "number" ? value : value.high * 2 ** 32 + (value.low >>> 0);

function lastBytes(
  fields: ReadonlyMap<number, readonly WireValue[]>,
  field: number,
): Uint8Array | undefined {
  const last = fields.get(field)?.at(-1);
  return last?.wire === "bytes" ? last.value : undefined;
}

const heads = new WireWriter();

/** The tag and the length of a field that holds so many bytes. */
export function fieldHead(number: number, lengthBytes: number): Uint8Array {
  heads.varint(lengthBytes);
  heads.varint(number * 8 + 2);
  return heads.finish();
}

/** An object's message, given in parts, in its envelope. */
export function sealed(
  apiVersion: string,
  kind: string,
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const [version, name] = [Buffer.from(apiVersion), Buffer.from(kind)];
  const type = [fieldHead(1, version.byteLength), version, fieldHead(2, name.byteLength), name];
  const typeBytes = type.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const rawBytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const rawHead = fieldHead(2, rawBytes);
  return Buffer.concat([magic, fieldHead(1, typeBytes), ...type, rawHead, ...parts]);
}
