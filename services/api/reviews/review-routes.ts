/** Who am I, what may I do, whose is this token: kubectl auth, k9s, Headlamp and webhooks ask. */
import { decodeBody } from "../http/decode.ts";
import { valueReply } from "../http/reply.ts";
import type { Route } from "../http/server.ts";
import { parseAsked } from "../resources/field-validation.ts";
import type { Gateway } from "../resources/gateway.ts";
import { reviewAnswers } from "./review-answers.ts";
import { reviewBodies } from "./review-bodies.ts";
import { reviewResources } from "./review-kinds.ts";

export const reviewRoutes = ({ identity }: Pick<Gateway, "identity">): readonly Route[] =>
  reviewResources.map(({ group, version, kind, name, namespaced }) => ({
    method: "POST",
    path: `/apis/${group}/${version}${namespaced ? "/namespaces/:namespace" : ""}/${name}`,
    async handle({ request, user, params }) {
      const schema = reviewBodies[kind];
      const given = withSpec(await decodeBody(request, schema));
      const asked = parseAsked<{ spec?: unknown; metadata?: unknown }>(
        { group, version, kind, schema },
        given,
      );
      const at = { user, namespace: params["namespace"], identity };
      // Each takes what the schema of its own kind has parsed.
      const status = await reviewAnswers[kind](asked as never, at);
      const review = {
        kind,
        apiVersion: `${group}/${version}`,
        metadata: { creationTimestamp: null },
        spec: asked.spec,
        status,
      };
      return valueReply(review, { language: "json" }, { code: 201 });
    },
  }));

/** An empty spec may be left out: what it lacks is told by name. */
const withSpec = (given: unknown): unknown =>
  typeof given === "object" && given !== null ? { spec: {}, ...given } : given;
