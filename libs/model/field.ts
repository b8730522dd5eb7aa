/** The leaves of schemas, and what is said of a field beside its type. Metadata has its OpenAPI names. */
import * as z from "zod";

declare module "zod" {
  interface GlobalMeta {
    /**
     * Field number in Kubernetes' protobuf encoding. Several: the field lies in a message of its own
     * there (or in one within that), which JSON inlines: a Probe's `exec` is field 1 of the message in
     * field 1. An option of a union has its number in the message that stands for the union there.
     */
    proto?: number | readonly number[];
    /** Of text that Go holds by a pointer: an empty one in protobuf is meant, and not absent. */
    pointer?: true;
    "x-kubernetes-list-type"?: "map" | "set" | "atomic";
    "x-kubernetes-list-map-keys"?: readonly string[];
    "x-kubernetes-map-type"?: "atomic" | "granular";
    "x-kubernetes-patch-merge-key"?: string;
    "x-kubernetes-patch-strategy"?: "merge" | "replace" | "retainKeys" | "merge,retainKeys";
  }
}

const [int32Min, int32Max] = [-(2 ** 31), 2 ** 31 - 1];
export const isInt32 = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= int32Min && Number(value) <= int32Max;

/** Signed 32-bit integer. */
export const int32 = z.int().min(int32Min).max(int32Max).meta({ format: "int32" });
/** Signed 64-bit integer; what JavaScript cannot hold exactly is refused. */
export const int64 = z.int().meta({ format: "int64" });
/** A count or a number of seconds. */
export const count = int32.min(0);
/** A port number. */
export const port = z
  .int()
  .refine((number) => number >= 1 && number <= 65_535, {
    error: ({ input }) => `Invalid value: ${String(input)}: must be between 1 and 65535, inclusive`,
  })
  .meta({ format: "int32" });
export const base64Fault = "must be a string in base64";
/** Line breaks within are fine, as in Go. */
export const isBase64 = (text: string): boolean => z.regexes.base64.test(inOneLine(text));
const inOneLine = (text: string) => text.replaceAll(/[\r\n]/g, "");

/** Binary data, base64 in JSON. */
export const bytes = z
  .string()
  .refine(isBase64, { error: base64Fault, abort: true })
  .overwrite(inOneLine)
  .meta({ format: "byte" });
/** A floating-point number. */
export const double = z.number().meta({ format: "double" });
/** Any JSON value, kept as it was written, with every `null` in it. */
export const json = z.unknown().meta({ format: "json" });
/** String to string. */
export const stringMap = z.record(z.string(), z.string());

/** Metadata of a list whose items are merged by one of their fields. */
export const mergeBy = (key: string): z.GlobalMeta => ({
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": [key],
  "x-kubernetes-patch-merge-key": key,
  "x-kubernetes-patch-strategy": "merge",
});
/** Metadata of a list whose items server-side apply tells apart by fields; other patches replace it. */
export const mapBy = (...keys: string[]): z.GlobalMeta => ({
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
});
/** Metadata of a list of scalars without duplicates. */
export const setList: z.GlobalMeta = { "x-kubernetes-list-type": "set" };
/** Metadata of a message that is replaced as a whole. */
export const atomicStruct: z.GlobalMeta = { "x-kubernetes-map-type": "atomic" };
/** Metadata of a list that is replaced as a whole. */
export const atomicList: z.GlobalMeta = { "x-kubernetes-list-type": "atomic" };
