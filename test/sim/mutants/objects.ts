import type { Mutant } from "../mutant.ts";

export const ofObjects: readonly Mutant[] = [
  {
    rule: "O2",
    what: "what an old set gives up is not kept for the available",
    file: "services/controllers/actors/deployment/rolling.ts",
    from: "let expendable = sum(sets, staying) - minAvailable;",
    to: "let expendable = sum(sets, staying) - minAvailable + 1;",
  },
  {
    rule: "O2",
    what: "a terminal phase is left when a node says so",
    file: "services/controllers/sessions/merge-report.ts",
    from: 'const left = isTerminalPhase(phase) && report.status["phase"] !== phase;',
    to: 'const left = isTerminalPhase(phase) && phase === "";',
  },
  {
    rule: "O4",
    what: "a Service's addresses have no keys",
    file: "libs/admission/derived.ts",
    from: 'if (kind === "v1/Service") return allocationsOf(object);',
    to: 'if (kind === "v1/Service") return allocationsOf({ ...object, spec: {} });',
  },
  {
    rule: "O6",
    what: "a deleted pod's keys go at once",
    file: "libs/admission/admit.ts",
    from: "const held = finalizers.length > 0 || graceSeconds > 0 || namespaceHolds(kind, was);",
    to: "const held = finalizers.length > 0 || namespaceHolds(kind, was);",
  },
  {
    rule: "O6",
    what: "any report of a deleted pod ends it",
    file: "services/controllers/sessions/merge-report.ts",
    from: "if (report.gone && pod.ending && pod.finalizers === 0)",
    to: "if (pod.ending && pod.finalizers === 0)",
  },
  {
    rule: "O7",
    what: "pods of a Job are not held until they are counted",
    file: "services/controllers/actors/job/new-pods.ts",
    from: "finalizers: [...new Set([...finalizers, trackingFinalizer])],",
    to: "finalizers: [...new Set(finalizers)],",
  },
  {
    rule: "O7",
    what: "a Job counts a pod again after its finalizer is gone",
    file: "services/controllers/actors/job/progress.ts",
    from: 'succeeded: tracked.filter(({ status }) => status?.phase === "Succeeded"),',
    to: 'succeeded: pods.filter(({ status }) => status?.phase === "Succeeded"),',
  },
  {
    rule: "O7",
    what: "an index that has succeeded is run again",
    file: "services/controllers/actors/job/plan.ts",
    from: "const taken = withIndexes(union(progress.completed, progress.failedIndexes), busy);",
    to: "const taken = withIndexes(progress.failedIndexes, busy);",
  },
  {
    rule: "O7",
    what: "a StatefulSet's pods do not wait for one another",
    file: "services/controllers/actors/statefulset/step.ts",
    from: "const first = slots.find(({ member }) => member?.available !== true);",
    to: "const first = slots.find(({ member }) => member === undefined);",
  },
  {
    rule: "O8",
    what: "a condition's time is the node's",
    file: "services/controllers/sessions/merge-report.ts",
    from: "return { ...condition, lastTransitionTime: anew ? stamp : (kept ?? stamp) };",
    to: "return { lastTransitionTime: anew ? stamp : (kept ?? stamp), ...condition };",
  },
];
