import type { IForbiddenRuleType, ICruiseOptions } from "dependency-cruiser";

/**
 * The direction of imports. `imports.ts` runs them, and first proves on
 * test/fixtures/imports that each of these rules can fail: without its own parser for TypeScript
 * dependency-cruiser finds no module, no violation, and is content.
 */
const decisions =
  "^(services/controllers/actors/|services/scheduler/decisions/|(services|libs)/[^/]+/decide[^/]*\\.ts$)";
const test = "\\.test\\.ts$";

type NamedRule = IForbiddenRuleType & { readonly name: string };

export const forbidden: NamedRule[] = [
  {
    name: "no-cycle",
    severity: "error",
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
  },
  {
    name: "libs-know-no-service",
    severity: "error",
    from: { path: "^libs/" },
    to: { path: "^services/" },
  },
  {
    name: "services-share-libs-only",
    severity: "error",
    from: { path: "^services/([^/]+)/" },
    to: { path: "^services/", pathNot: "^services/$1/" },
  },
  {
    name: "what-ships-needs-no-test",
    severity: "error",
    from: { path: "^(libs|services)/", pathNot: `${test}|/(contract|nats-buckets)\\.ts$` },
    to: { path: `^(test|bench|scripts|examples)/|${test}` },
  },
  {
    name: "nodes-never-touch-the-store",
    comment: "JetStream lives in the control plane's account only (design, section 2).",
    severity: "error",
    from: { path: "^services/(node-agent|lb)/" },
    to: { path: "^libs/(store|cluster|admission)/|@nats-io/(jetstream|kv)" },
  },
  {
    name: "decisions-import-no-effects",
    severity: "error",
    from: { path: decisions, pathNot: test },
    to: {
      path: "^node:|@nats-io/|node_modules/(dockerode|pino|execa)/|^libs/(bus|store|telemetry|machine)/",
      pathNot:
        "^libs/store/(store|replica|memberships)\\.ts$|^libs/bus/bus\\.ts$|^libs/telemetry/clock\\.ts$",
    },
  },
  {
    name: "decisions-import-no-core-module",
    severity: "error",
    from: { path: decisions, pathNot: test },
    to: { dependencyTypes: ["core"] },
  },
  {
    name: "the-model-is-pure",
    severity: "error",
    from: { path: "^libs/model/", pathNot: test },
    to: { path: "@nats-io/|^libs/(bus|store|actor|cluster|admission|protocol|client|machine)/" },
  },
  {
    name: "no-unresolvable",
    severity: "error",
    from: {},
    to: { couldNotResolve: true },
  },
];

export const options: ICruiseOptions = {
  parser: "swc",
  tsPreCompilationDeps: true,
  doNotFollow: { path: "node_modules" },
  exclude: { path: "^test/fixtures/" },
  enhancedResolveOptions: {
    extensions: [".ts", ".mjs", ".js", ".json"],
    exportsFields: ["exports"],
    conditionNames: ["import", "node", "types", "default"],
  },
};
