/** Whether a container is still what its pod's manifest asks for. */
import { createHash } from "node:crypto";
import type { Observed } from "../runtime/runtime.ts";
import type { Container } from "./spec.ts";

/** To be raised whenever what is hashed, or how, changes. */
const version = "v1";

/**
 * Of what the manifest says, and of nothing that an agent's own version decides: an agent that is
 * replaced by a newer one must not restart the world.
 */
export function hashOf({ image, command, args, workingDir, env, envFrom }: Container): string {
  const said = canonical({ image, command, args, workingDir, env, envFrom });
  const digest = createHash("sha256").update(JSON.stringify(said)).digest("hex");
  return `${version}-${digest.slice(0, 16)}`;
}

/** A hash of another version cannot be compared: then only another image counts. */
export function isOutdated(
  { specHash, image }: Pick<Observed, "specHash" | "image">,
  container: Container,
): boolean {
  if (!specHash.startsWith(`${version}-`)) return image !== container.image;
  return specHash !== hashOf(container);
}

/** Without what is absent or empty, keys in order: a default that is filled in changes nothing. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([, held]) => held !== undefined && held !== "" && !isEmpty(held))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, held]) => [key, canonical(held)]));
}

const isEmpty = (held: unknown) => Array.isArray(held) && held.length === 0;
