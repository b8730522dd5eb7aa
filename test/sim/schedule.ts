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
};

export function stepsOf(
  { seed, steps, only }: ScheduleOptions,
  workloads: readonly Workload[],
): readonly Step[] {
  const chance = chanceOf(seededRandom(seed * 16 + 3));
  const all = Array.from({ length: steps }, (_, nth): Step => {
    const isUse = nth === 0 || chance.is(0.6);
    const step = isUse ? use(chance, workloads) : befall(chance);
    return { ...step, pauseMs: chance.between(0, 1_600) };
  });
  // What is left out leaves its time, so that the rest comes when it came.
  return all.map((step, nth) =>
    only === undefined || only.includes(nth + 1) ? step : { ...step, what: "", run: nothing },
  );
}

const nothing = async (): Promise<void> => undefined;

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

function befall(chance: Chance): Omit<Step, "pauseMs"> {
  const { mishap, what, run } = draw(chance);
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

function draw(chance: Chance): Befalling {
  const whom = chance.pick([...brains, ...anyone]);
  const other = chance.pick(["controllers-1", "controllers-2", whom]);
  const ms = chance.between(50, 3_000);
  switch (chance.between(1, 12)) {
    case 1:
    case 2:
      return during("killed and started again", whom, ms, {
        begin: (world) => world.service(whom)?.kill(),
        end: (world) => world.service(whom)?.start(),
      });
    case 3:
      return {
        mishap: "told to stop and started again",
        what: other,
        async run(world) {
          await world.service(other)?.stop();
          world.service(other)?.start();
        },
      };
    case 4:
    case 5:
      return during("cut off", whom, ms * 4, {
        begin: (world) => world.service(whom)?.connect(false),
        end: (world) => world.service(whom)?.connect(true),
      });
    case 6:
      return during("held still", whom, ms * 2, {
        begin: (world) => world.service(whom)?.hold(true),
        end: (world) => world.service(whom)?.hold(false),
      });
    case 7:
    case 8: {
      const [brain, lags] = [chance.pick(brains), chance.is(0.5)];
      return during("believes to be alone", brain, ms, {
        begin(world) {
          world.service(brain)?.isolate(true);
          if (lags) world.service(brain)?.slowDown(ms);
        },
        end: (world) => world.service(brain)?.isolate(false),
      });
    }
    case 9: {
      const brain = chance.pick([...brains, "gateway-1", "gateway-2"]);
      return {
        mishap: "replica slow",
        what: `${brain} for ${ms} ms`,
        run: async (world) => world.service(brain)?.slowDown(ms),
      };
    }
    case 10:
      return powerCut(chance, ms * 4);
    case 11:
      return during("store stopped", "all", ms, {
        begin: (world) => world.stopStore(true),
        end: (world) => world.stopStore(false),
      });
    default: {
      if (chance.is(0.5)) return falter(chance, ms);
      return during("second agent of a name", "n1", ms * 2, {
        begin: (world) => world.service(twin)?.start(),
        end: (world) => world.service(twin)?.kill(),
      });
    }
  }
}

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
