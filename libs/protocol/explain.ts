/** What a gateway asks the schedulers: why a pod is where it is, or is nowhere, and where one would go. */
import * as z from "zod";

/** One of them: a pod that there is, or one that would be made, in storage form. */
export const explainRequest = z.object({
  /** The answer is of a cut that is no older. */
  revision: z.int().min(0),
  namespace: z.string(),
  name: z.string(),
  pod: z.looseObject({}).optional(),
});
export type ExplainRequest = z.output<typeof explainRequest>;

const explainedNode = z.union([
  z.object({
    name: z.string(),
    /** Every rule that keeps the pod away. */
    refusals: z.array(z.object({ rule: z.string(), message: z.string() })),
  }),
  z.object({
    name: z.string(),
    /** From 0 to 100 each; the node with the highest total is taken. */
    scores: z.array(z.object({ rule: z.string(), score: z.number(), weight: z.number() })),
    total: z.number(),
  }),
]);
export type ExplainedNode = z.output<typeof explainedNode>;

export const explanation = z.object({
  verdict: z.enum(["fits", "unschedulable", "not considered"]),
  /** Where it is, or would go. */
  node: z.string().optional(),
  /** The verdict in a sentence. */
  message: z.string(),
  /** What would let it be placed, a sentence each. */
  help: z.array(z.string()),
  /** Those that take the pod first, the best of them before the others. */
  nodes: z.array(explainedNode),
  /** How many of the last are left out, of a cluster too large to tell of each; absent: none. */
  omitted: z.int().optional(),
  /** Where room would be made for it; absent: nowhere. */
  preemption: z.object({ node: z.string(), victims: z.array(z.string()) }).optional(),
});
export type Explanation = z.output<typeof explanation>;

/** `undefined` in place of an explanation: there is no such pod at that cut. */
export const explainReply = z.object({
  explanation: explanation.optional(),
  /** The same as text. */
  text: z.string().optional(),
});
export type ExplainReply = z.output<typeof explainReply>;
