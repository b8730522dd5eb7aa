import { Environment, Optional } from "@marcbachmann/cel-js";
import { authorization } from "./functions/authorization.ts";
import { lists } from "./functions/lists.ts";
import { define, type Library } from "./functions/library.ts";
import { macros } from "./functions/macros.ts";
import { namedFormats } from "./functions/named-formats.ts";
import { network } from "./functions/network.ts";
import { quantities } from "./functions/quantities.ts";
import { strings } from "./functions/strings.ts";

/** Of an expression: what it takes to parse and check it is bounded by these. */
const limits = {
  maxAstNodes: 10_000,
  maxDepth: 200,
  maxListElements: 1_000,
  maxMapEntries: 1_000,
  maxCallArguments: 32,
};

const optionals: Library = (environment) => {
  // Null is none of them, nor the absence of one.
  environment.registerOperator("optional == null", () => false);
  define(environment, [
    [
      "OptionalNamespace.ofNonZeroValue(dyn): optional<dyn>",
      (_: never, value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value)),
    ],
  ]);
};

/** Kubernetes' functions over cel-js's. Each expression clones it for its own variables. */
export const kubernetes = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits,
});

for (const library of [
  optionals,
  strings,
  lists,
  quantities,
  network,
  namedFormats,
  authorization,
  macros,
])
  library(kubernetes);

function isZero(value: unknown): boolean {
  if (value === null || value === false || value === "") return true;
  if (typeof value === "bigint" || typeof value === "number") return Number(value) === 0;
  if (Array.isArray(value)) return value.length === 0;
  return value instanceof Map && value.size === 0;
}
