import type { Mutant } from "../mutant.ts";

export const ofNodes: readonly Mutant[] = [
  {
    rule: "N1",
    what: "a node that this instance has not heard yet is silent",
    file: "services/controllers/sessions/observed-nodes.ts",
    from: "      if (heardForMs() < silenceMs + queuedMs) return false;\n      const alive",
    to: "      const alive",
  },
  {
    rule: "N2",
    what: "a report that is older than what is stored is accepted",
    file: "services/controllers/sessions/merge-report.ts",
    from: "if (storedBoot === boot && Number(storedSequence) >= report.sequence)",
    to: "if (storedBoot === boot && Number(storedSequence) === report.sequence)",
  },
  {
    rule: "N3",
    what: "an agent believes a snapshot that is older than what it knows",
    file: "services/node-agent/session/known.ts",
    from: `      if (cut < applied) return false; // From an instance that lags (N3).
      const listed = new Set<string>();
      for (const { revision, assignment } of assignments) {
        const key = podKey(assignment);
        listed.add(key);
        if (isNews(key, revision)) put(key, revision, parseWork(assignment), now);
      }
      for (const [key, { revision }] of held) {
        if (!listed.has(key) && revision <= cut) held.delete(key);
      }
`,
    to: `      const listed = new Set<string>();
      for (const { revision, assignment } of assignments) {
        const key = podKey(assignment);
        listed.add(key);
        if (isNews(key, revision)) put(key, revision, parseWork(assignment), now);
      }
      for (const key of held.keys()) if (!listed.has(key)) held.delete(key);
`,
  },
  {
    rule: "N3",
    what: "an instance that lags answers a report",
    file: "services/controllers/sessions/node-sessions.ts",
    from: "  await ports.replica.caughtUp(applied); // N3\n",
    to: "  if (applied < 0) await ports.replica.caughtUp(applied);\n",
  },
  {
    rule: "N4",
    what: "nodes are evicted although most of them are silent",
    file: "services/controllers/sessions/observed-nodes.ts",
    from: "return alive.length * 2 >= nodes.length;",
    to: "return alive.length <= nodes.length;",
  },
  {
    rule: "N4",
    what: "an instance whose connection was broken judges what it did not hear",
    file: "services/controllers/sessions/hearing.ts",
    from: "return clock.monotonicMs() - Math.max(healthySince, awakeSince);",
    to: "return clock.monotonicMs() - Math.min(healthySince, awakeSince);",
  },
  {
    rule: "N5",
    what: "an agent on another engine takes over the name while the first is heard",
    file: "services/controllers/sessions/observed-nodes.ts",
    from: 'return "an agent on another engine has this node\'s name";',
    to: "return undefined;",
  },
  {
    rule: "N6",
    what: "a drain is answered when one lb has applied it",
    file: "services/controllers/sessions/drain.ts",
    from: "alive.every(({ applied }) => applied >= revision)",
    to: "alive.some(({ applied }) => applied >= revision)",
  },
  {
    rule: "N6",
    what: "a drain is answered before a slice shows it",
    file: "services/controllers/sessions/drain-target.ts",
    from: 'if (shown.some(({ terminating }) => !terminating)) return { kind: "unwritten" };',
    to: "",
  },
];
