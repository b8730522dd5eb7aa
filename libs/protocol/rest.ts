/**
 * A request of the Kubernetes API carried by a stream of the bus: the opening names the request, what
 * the client writes is its body, and the gateway answers with a head and then the reply's body. So a
 * reply may be of any size, or without an end, as a watch is.
 */
import * as z from "zod";

const headers = z.record(z.string(), z.string());

export const restOpening = z.object({
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  /** With its query. */
  path: z
    .string()
    .startsWith("/")
    .max(16 * 1_024),
  /** Lower-case names. */
  headers,
});
export type RestOpening = z.output<typeof restOpening>;

/** The first chunk of an answer. */
export const restHead = z.object({ code: z.int(), headers });
export type RestHead = z.output<typeof restHead>;
