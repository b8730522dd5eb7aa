/** A schedule: what users do and what befalls the cluster, drawn before anything runs. */
import { seededRandom } from "../../libs/telemetry/seeded-random.ts";
import type { Mishap } from "./chaos.ts";
import { twin } from "./service.ts";
import { type Chance, chanceOf, type Workload } from "./workload.ts";
import { machineNames, type World } from "./world.ts";

export type Step = {
  readonly what: string;
  readonly run: (world: World) => Promise<void>;
  /** Until the next step begins; this one may still be under way. */
  readonly pauseMs: number;
};

export type ScheduleOptions = {
  readonly seed: number;
  readonly steps: number;
  /** Only these of them, by number from 1. */
  readonly only?: readonly number[] | undefined;
  /** Names of workloads, all alike often; undefined: as the schedule's theme has it. */
  readonly of?: readonly string[] | undefined;
};

export function stepsOf(
  { seed, steps, only, of }: ScheduleOptions,
  workloads: readonly Workload[],
): readonly Step[] {
  const chance = chanceOf(seededRandom(seed * 16 + 3));
  const theme = { ...themeOf(seed, workloads), ...(of && { workloads: named(of, workloads) }) };
  const all = Array.from({ length: steps }, (_, nth): Step => {
    const isUse = nth === 0 || chance.is(theme.uses);
    const step = isUse ? use(chance, theme.workloads) : befall(chance, theme.mishaps);
    return { ...step, pauseMs: chance.between(0, theme.pauseMaxMs) };
  });
  // What is left out leaves its time, so that the rest comes when it came.
  return all.map((step, nth) =>
    only === undefined || only.includes(nth + 1) ? step : { ...step, what: "", run: nothing },
  );
}

function named(names: readonly string[], workloads: readonly Workload[]): readonly Workload[] {
  const found = workloads.filter(({ name }) => names.includes(name));
  if (found.length < names.length) throw new Error(`no such workload among ${names.join(", ")}`);
  return found.map((one) => ({ ...one, weight: 1 }));
}

const nothing = async (): Promise<void> => undefined;

/** What there is in a schedule: all of everything drowns what only a few things together bring about. */
type Theme = {
  readonly workloads: readonly Workload[];
  /** Kinds of mishaps, each as often as it is named. */
  readonly mishaps: readonly Befall[];
  /** The share of steps that are a user's. */
  readonly uses: number;
  readonly pauseMaxMs: number;
};

/**
 * A third of the schedules have a few workloads only, all alike often, a third some of them, a third all.
 * Half have some kinds of mishaps only; paces differ.
 */
function themeOf(seed: number, workloads: readonly Workload[]): Theme {
  const chance = chanceOf(seededRandom(seed * 16 + 4));
  const weighed = workloads.map((one) => ({
    ...one,
    weight: one.weight * chance.pick([0, 0, 0, 1, 1, 3]),
  }));
  const some = weighed.filter(({ weight }) => weight > 0);
  const few = Array.from({ length: chance.between(1, 4) }, () => {
    const one = workloads[chance.between(0, workloads.length - 1)];
    return one === undefined ? [] : [{ ...one, weight: 1 }];
  }).flat();
  const twoKinds = [chance.pick([befalls[0], ...befalls]), chance.pick([befalls[0], ...befalls])];
  const chosen = chance.pick([workloads, some, few]);
  return {
    workloads: chosen.length === 0 ? workloads : chosen,
    mishaps: chance.is(0.5) ? befalls : twoKinds,
    uses: chance.pick([0.4, 0.6, 0.6, 0.8]),
    pauseMaxMs: chance.pick([300, 1_600, 1_600, 4_000]),
  };
}

function use(chance: Chance, workloads: readonly Workload[]): Omit<Step, "pauseMs"> {
  const total = workloads.reduce((sum, { weight }) => sum + weight, 0);
  let drawn = chance.between(1, total);
  const chosen = workloads.find(({ weight }) => (drawn -= weight) <= 0);
  const nth = chance.between(0, 1);
  const act = chosen?.draw(chance);
  return {
    what: act?.what ?? "nothing",
    async run({ users }) {
      const one = users[nth];
      if (one !== undefined) await act?.run(one);
    },
  };
}

type Befalling = { readonly mishap: Mishap; readonly what: string; readonly run: Step["run"] };

function befall(chance: Chance, kinds: readonly Befall[]): Omit<Step, "pauseMs"> {
  const all = drawn(chance);
  const kind = kinds[chance.between(0, kinds.length - 1)] ?? befalls[0];
  const { mishap, what, run } = kind(all);
  return {
    what: `${mishap}: ${what}`,
    async run(world) {
      world.chaos.count(mishap);
      await run(world);
    },
  };
}

const brains = ["controllers-1", "controllers-2", "scheduler-1", "scheduler-2"] as const;
const anyone = [
  ...brains,
  "controllers-3",
  "gateway-1",
  "gateway-2",
  "agent-n1",
  "agent-n2",
  "agent-n3",
  "lb-m1",
  "lb-m2",
  "lb-m3",
] as const;

/** What is drawn for each, used or not. */
const drawn = (chance: Chance) => {
  const whom = chance.pick([...brains, ...anyone]);
  const other = chance.pick(["controllers-1", "controllers-2", whom]);
  return { chance, whom, other, ms: chance.between(50, 3_000) };
};
type Drawn = ReturnType<typeof drawn>;
type Befall = (drawn: Drawn) => Befalling;

const killed: Befall = ({ whom, ms }) =>
  during("killed and started again", whom, ms, {
    begin: (world) => world.service(whom)?.kill(),
    end: (world) => world.service(whom)?.start(),
  });

const stopped: Befall = ({ other }) => ({
  mishap: "told to stop and started again",
  what: other,
  async run(world) {
    await world.service(other)?.stop();
    world.service(other)?.start();
  },
});

const cutOff: Befall = ({ whom, ms }) =>
  during("cut off", whom, ms * 4, {
    begin: (world) => world.service(whom)?.connect(false),
    end: (world) => world.service(whom)?.connect(true),
  });

const heldStill: Befall = ({ whom, ms }) =>
  during("held still", whom, ms * 2, {
    begin: (world) => world.service(whom)?.hold(true),
    end: (world) => world.service(whom)?.hold(false),
  });

const alone: Befall = ({ chance, ms }) => {
  const [brain, lags] = [chance.pick(brains), chance.is(0.5)];
  return during("believes to be alone", brain, ms, {
    begin(world) {
      world.service(brain)?.isolate(true);
      if (lags) world.service(brain)?.slowDown(ms);
    },
    end: (world) => world.service(brain)?.isolate(false),
  });
};

const slow: Befall = ({ chance, ms }) => {
  const brain = chance.pick([...brains, "gateway-1", "gateway-2"]);
  if (chance.is(0.5)) {
    return {
      mishap: "replica stalled",
      what: `${brain} for ${ms * 2} ms`,
      run: async (world) => world.service(brain)?.stall(ms * 2),
    };
  }
  return {
    mishap: "replica slow",
    what: `${brain} for ${ms} ms`,
    run: async (world) => world.service(brain)?.slowDown(ms),
  };
};

const storeStopped: Befall = ({ ms }) =>
  during("store stopped", "all", ms, {
    begin: (world) => world.stopStore(true),
    end: (world) => world.stopStore(false),
  });

const falterOrTwin: Befall = ({ chance, ms }) =>
  chance.is(0.5)
    ? falter(chance, ms)
    : during("second agent of a name", "n1", ms * 2, {
        begin: (world) => world.service(twin)?.start(),
        end: (world) => world.service(twin)?.kill(),
      });

/** Each as often as it is named. */
const befalls: readonly [Befall, ...Befall[]] = [
  killed,
  killed,
  stopped,
  cutOff,
  cutOff,
  heldStill,
  alone,
  alone,
  slow,
  ({ chance, ms }) => powerCut(chance, ms * 4),
  storeStopped,
  falterOrTwin,
];

type Turn = (world: World) => void;

function during(
  mishap: Mishap,
  whom: string,
  ms: number,
  { begin, end }: { readonly begin: Turn; readonly end: Turn },
): Befalling {
  return {
    mishap,
    what: `${whom} for ${ms} ms`,
    async run(world) {
      begin(world);
      await world.sleep(ms);
      end(world);
    },
  };
}

/** Of one machine, or of most. */
function powerCut(chance: Chance, ms: number): Befalling {
  const first = chance.between(0, machineNames.length - 1);
  const count = chance.is(0.3) ? 2 : 1;
  const names = machineNames.filter((_, nth) => (nth + first) % machineNames.length < count);
  return during("power cut", names.join(" and "), ms, {
    begin(world) {
      for (const name of names) {
        world.service(`agent-${name}`)?.kill();
        world.machines.find((one) => one.name === name)?.cutPower();
      }
    },
    end(world) {
      for (const name of names) world.service(`agent-${name}`)?.start();
    },
  });
}

function falter(chance: Chance, ms: number): Befalling {
  const [name, nth] = [chance.pick(machineNames), chance.between(0, 9)];
  return {
    mishap: "pod not ready for a while",
    what: `the ${nth}th of ${name} for ${ms} ms`,
    run: async (world) => world.machines.find((one) => one.name === name)?.falter(nth, ms),
  };
}
