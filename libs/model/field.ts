/** The leaves of schemas, and what is said of a field beside its type. Metadata has its OpenAPI names. */
import * as z from "zod";

declare module "zod" {
  interface GlobalMeta {
    /**
     * Field number in Kubernetes' protobuf encoding. Two: the field lies in a message of its own
     * there, which JSON inlines (a Probe's `exec` is field 1 of the message in field 1).
     */
    proto?: number | readonly [number, number];
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
/** String to string. */
export const stringMap = z.record(z.string(), z.string());

/** Metadata of a list whose items are merged by one of their fields. */
export const mergeBy = (key: string): z.GlobalMeta => ({
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": [key],
  "x-kubernetes-patch-merge-key": key,
  "x-kubernetes-patch-strategy": "merge",
});
/** Metadata of a list that is replaced as a whole. */
export const atomicList: z.GlobalMeta = { "x-kubernetes-list-type": "atomic" };
