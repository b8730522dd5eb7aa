import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admitCreate, admitDelete, admitUpdate } from "../../../libs/admission/admit.ts";
import { parseSchedule } from "../../../libs/model/cron/schedule.ts";
import { nextStart } from "../../../libs/model/cron/starts.ts";
import { cronJob, type CronJob } from "../../../libs/model/kinds/cronjob.ts";
import { job, type Job } from "../../../libs/model/kinds/job.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { behaviourOf } from "../behaviour.ts";
import { aNamespace, countingRandom, settings, start } from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { cronJobs } from "./cronjob.ts";
import { endOf } from "./job/conditions.ts";

const nodes = { seen: () => undefined, judgeable: () => true };
const minute = 60_000;

/** A CronJob with its actor; its Jobs end when the test says so. */
function simulate(spec: Readonly<Record<string, unknown>> = {}) {
  const cluster = simulatedCluster();
  let now = start;
  const notes: string[] = [];
  const record = (facts: { readonly reason: string }) => void notes.push(facts.reason);
  const random = countingRandom();
  const behaviour = behaviourOf(cronJobs, { nodes, settings, random, record, view: cluster.view });
  const context = () => ({ view: cluster.view, now, random, settings });
  cluster.put(namespace, aNamespace("default"));
  const template = {
    spec: { restartPolicy: "Never", containers: [{ name: "work", image: "work:v1" }] },
  };
  const jobTemplate = {
    metadata: { labels: { a: "b" }, annotations: { c: "d" } },
    spec: { template },
  };
  const metadata = { name: "tick", namespace: "default" };
  const asked = { metadata, spec: { schedule: "* * * * *", jobTemplate, ...spec } };
  cluster.commit(admitCreate(cronJob, asked, context()).ops);
  const self = (): CronJob => {
    const found = cluster.view.get(cronJob, "default", "tick");
    if (found === undefined) throw new Error("the CronJob is gone");
    return found;
  };
  const jobs = () =>
    cluster.view.list(job).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return {
    notes,
    self,
    jobs,
    names: () => jobs().map(({ metadata: { name } }) => name),
    running: () => jobs().filter((one) => endOf(one) === undefined),
    now: () => now,
    pass: (ms: number) => void (now += ms),
    edit: (change: object) =>
      cluster.commit(
        admitUpdate(cronJob, self(), { ...self(), spec: { ...self().spec, ...change } }, context())
          ?.ops ?? [],
      ),
    make: (object: object) => cluster.commit(admitCreate(job, object, context()).ops),
    remove: (one: Job) => cluster.commit(admitDelete(job, one, {}, context())?.ops ?? []),
    end(one: Job, type: "Complete" | "Failed" = "Complete") {
      const condition = { type, status: "True" as const, lastTransitionTime: timeOf(now) };
      const times = {
        startTime: timeOf(now),
        ...(type === "Complete" && { completionTime: timeOf(now) }),
      };
      cluster.put(job, { ...one, status: { ...times, conditions: [condition] } });
    },
    turn: (ago = 0) => cluster.turn(behaviour, "default/tick", ago, now),
    settle: () => cluster.settle([behaviour], () => now),
    wakeAt: () => behaviour.turn("default/tick", cluster.view, now)?.wakeAt,
  };
}
const nameAt = (at: number) => `tick-${Math.floor(at / minute)}`;

describe("a CronJob", () => {
  test("starts a Job at its time, named for the minute", () => {
    const run = simulate();
    run.settle();
    expect(run.jobs()).toEqual([]);
    expect(run.wakeAt()).toBe(start + minute);
    run.pass(minute);
    run.settle();
    expect(run.names()).toEqual([nameAt(start + minute)]);
    const [one] = run.jobs();
    expect(one?.metadata).toMatchObject({
      labels: { a: "b" },
      annotations: {
        c: "d",
        "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T00:01:00Z",
      },
      ownerReferences: [{ kind: "CronJob", name: "tick", controller: true }],
    });
    expect(run.self().status).toMatchObject({
      active: [{ kind: "Job", name: one?.metadata.name, uid: one?.metadata.uid }],
      lastScheduleTime: "2026-01-01T00:01:00Z",
    });
    expect(run.wakeAt()).toBe(start + 2 * minute);
    expect(run.notes).toEqual(["SuccessfulCreate"]);
  });

  test("says in its zone when a Job was due", () => {
    const run = simulate({ timeZone: "America/St_Johns" });
    run.pass(minute);
    run.settle();
    expect(run.jobs()[0]?.metadata.annotations).toMatchObject({
      "batch.kubernetes.io/cronjob-scheduled-timestamp": "2025-12-31T20:31:00-03:30",
    });
  });

  test("notes what ended, what succeeded when, and what went missing", () => {
    const run = simulate({ concurrencyPolicy: "Allow" });
    for (let nth = 0; nth < 2; nth += 1) {
      run.pass(minute);
      run.settle();
    }
    const [first, second] = run.jobs();
    if (first === undefined || second === undefined) throw new Error("two were due");
    expect(run.self().status?.active).toHaveLength(2);
    run.pass(5_000);
    run.end(first);
    run.remove(second);
    run.settle();
    expect(run.self().status).toEqual({
      lastScheduleTime: timeOf(start + 2 * minute),
      lastSuccessfulTime: timeOf(start + 2 * minute + 5_000),
    });
    expect(run.notes).toEqual(expect.arrayContaining(["SawCompletedJob", "MissingJob"]));
  });

  test("keeps as many ended Jobs as it is to, the newest", () => {
    const run = simulate({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 });
    for (let nth = 0; nth < 8; nth += 1) {
      run.pass(minute);
      run.settle();
      for (const one of run.running()) run.end(one, nth % 2 === 0 ? "Complete" : "Failed");
    }
    run.settle();
    const minutes = run.names().map((name) => Number(name.slice(5)) - start / minute);
    expect(minutes).toEqual([5, 7, 8]);
  });

  test("that forbids starts nothing beside a Job that runs, and makes up for it after that", () => {
    const run = simulate({ concurrencyPolicy: "Forbid" });
    run.pass(minute);
    run.settle();
    run.pass(2 * minute + 1_000);
    run.settle();
    expect(run.running()).toHaveLength(1);
    expect(run.notes).toContain("JobAlreadyActive");
    for (const one of run.running()) run.end(one);
    run.settle();
    expect(run.running().map(({ metadata }) => metadata.name)).toEqual([
      nameAt(start + 3 * minute),
    ]);
  });

  test("that replaces deletes the Job that runs", () => {
    const run = simulate({ concurrencyPolicy: "Replace" });
    run.pass(minute);
    run.settle();
    run.pass(minute);
    run.settle();
    expect(run.names()).toEqual([nameAt(start + 2 * minute)]);
  });

  test("does not make up for what is past its deadline", () => {
    const run = simulate({ schedule: "0 * * * *", startingDeadlineSeconds: 60 });
    run.pass(60 * minute + 61_000);
    run.settle();
    expect(run.jobs()).toEqual([]);
    expect(run.notes).toContain("MissSchedule");
    expect(run.wakeAt()).toBe(start + 120 * minute);
    run.pass(58 * minute + 59_000 + 60_000);
    run.settle();
    expect(run.names()).toEqual([nameAt(start + 120 * minute)]);
  });

  test("starts one Job for all that it missed, and tells of too many", () => {
    const run = simulate();
    run.pass(100 * minute);
    run.settle();
    expect(run.names()).toEqual([nameAt(start + 100 * minute)]);
    expect(run.notes).not.toContain("TooManyMissedTimes");
    run.pass(101 * minute);
    run.settle();
    expect(run.jobs()).toHaveLength(2);
    expect(run.notes).toContain("TooManyMissedTimes");
  });

  test("that is suspended starts nothing, but looks after its Jobs", () => {
    const run = simulate();
    run.pass(minute);
    run.settle();
    run.edit({ suspend: true });
    run.pass(10 * minute);
    for (const one of run.running()) run.end(one);
    run.settle();
    expect(run.jobs()).toHaveLength(1);
    expect(run.wakeAt()).toBeUndefined();
    expect(run.self().status).not.toHaveProperty("active");
    run.edit({ suspend: false });
    run.settle();
    expect(run.jobs()).toHaveLength(2);
  });

  test("counts what users made of it in its history, and not as active", () => {
    const run = simulate({ concurrencyPolicy: "Forbid", successfulJobsHistoryLimit: 0 });
    const { apiVersion, kind, metadata, spec } = run.self();
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
    run.make({
      metadata: { name: "by-hand", namespace: "default", ownerReferences: [owner] },
      spec: spec.jobTemplate.spec,
    });
    run.pass(minute);
    run.settle();
    expect(run.self().status?.active).toHaveLength(1);
    for (const one of run.running()) run.end(one);
    run.settle();
    expect(run.jobs()).toEqual([]);
  });

  test("starts one Job for several times of a minute", () => {
    const run = simulate({ schedule: "@every 20s" });
    run.pass(20_000);
    run.settle();
    run.pass(20_000);
    run.settle();
    expect(run.jobs()).toHaveLength(1);
    expect(run.self().status?.lastScheduleTime).toBe("2026-01-01T00:00:40Z");
    run.pass(20_000);
    run.settle();
    expect(run.jobs()).toHaveLength(2);
  });

  const schedule = fc.constantFrom("* * * * *", "*/3 * * * *", "0-30/7 * * * *", "@every 90s");
  const policy = fc.constantFrom("Allow", "Forbid", "Replace");
  const action = fc.record({
    act: fc.constantFrom("turn", "turn", "turn", "pass", "pass", "end", "fail", "remove"),
    nth: fc.nat(5),
    ago: fc.constantFrom(0, 0, 1, 2, 4),
  });

  test("starts each time once, whatever its Jobs do and the cuts that turns are decided at", () => {
    fc.assert(
      fc.property(
        schedule,
        policy,
        fc.array(action, { minLength: 20, maxLength: 80, size: "max" }),
        (written, concurrencyPolicy, actions) => {
          const run = simulate({ schedule: written, concurrencyPolicy });
          const born = new Map<string, string>();
          const see = () => {
            for (const { metadata } of run.jobs()) {
              const uid = born.get(metadata.name) ?? metadata.uid;
              born.set(metadata.name, uid);
              expect(metadata.uid).toBe(uid); // No minute is started twice.
            }
            if (concurrencyPolicy !== "Allow") expect(run.running().length).toBeLessThanOrEqual(1);
          };
          for (const { act, nth, ago } of actions) {
            const one = run.running()[nth % Math.max(run.running().length, 1)];
            if (act === "turn") run.turn(ago);
            else if (act === "pass") run.pass(20_000 + nth * 15_000);
            else if (one !== undefined && act === "remove") run.remove(one);
            else if (one !== undefined) run.end(one, act === "end" ? "Complete" : "Failed");
            see();
          }
          const due = new Set<string>();
          const parsed = parseSchedule(written);
          for (let at = nextStart(parsed, "UTC", start); at !== undefined && at <= run.now();) {
            due.add(nameAt(at));
            at = nextStart(parsed, "UTC", at);
          }
          expect([...born.keys()].filter((name) => !due.has(name))).toEqual([]);
          run.settle();
          for (const each of run.running()) run.end(each);
          run.settle();
          see();
          // What was due last has been started, and nothing changes any more.
          const last = [...due].at(-1);
          if (last !== undefined) expect(born.has(last)).toBe(true);
          expect(run.turn()).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });
});
