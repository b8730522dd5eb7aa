/**
 * Ends a command in a container with all that it has begun. The engine's API cannot: but it gives each
 * command a session of its own, whose processes the machine shows.
 */
import { readdir, readFile, readlink } from "node:fs/promises";
import type { Clock } from "../../../libs/telemetry/clock.ts";

/** How long a command has after the hang-up, as at the end of a terminal. */
const hangUpMs = 1_000;
/** Files read at once. */
const readsMax = 64;

type Process = { readonly pid: number; readonly session: number; readonly began: string };

/**
 * Hangs up on each process of the session that `leader` leads, and kills what has not ended then.
 *
 * @param beside another process of the same container. Unless both see the same mounts on this
 *   machine, the engine is elsewhere: then nothing is signalled.
 */
export async function endSession(
  leader: number,
  { beside, clock }: { readonly beside: number; readonly clock: Clock },
): Promise<void> {
  if (!(await isInContainer(leader, beside))) return;
  const members = await membersOf(leader);
  for (const { pid } of members) signal(pid, "SIGHUP");
  const deadline = clock.monotonicMs() + hangUpMs;
  while (clock.monotonicMs() < deadline) {
    if ((await membersOf(leader)).length === 0) return;
    await clock.sleep(50);
  }
  // Those only that were there: a pid may have been given anew.
  const known = new Set(members.map(identityOf));
  for (const one of await membersOf(leader)) {
    if (known.has(identityOf(one)) || one.pid !== leader) signal(one.pid, "SIGKILL");
  }
}

const identityOf = ({ pid, began }: Process) => `${pid}/${began}`;

async function isInContainer(pid: number, beside: number): Promise<boolean> {
  const [its, theirs, ours] = await Promise.all([pid, beside, "self"].map(mountsOf));
  return its !== undefined && its === theirs && its !== ours;
}

const mountsOf = (pid: number | string) => readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined); // It has ended, or is on another machine.

async function membersOf(leader: number): Promise<readonly Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name));
  const found: Process[] = [];
  const read = async () => {
    for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""); // It has ended.
      const one = processIn(stat);
      if (one?.session === leader) found.push(one);
    }
  };
  await Promise.all(Array.from({ length: readsMax }, read));
  return found;
}

/** What `/proc/<pid>/stat` says; undefined for a zombie, which only its parent can end. */
export function processIn(stat: string): Process | undefined {
  // The name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [pid, state, session, began] = [
    Number.parseInt(stat, 10),
    fields[0],
    fields[3],
    fields[19],
  ];
  if (Number.isNaN(pid) || state === "Z" || began === undefined) return undefined;
  return { pid, session: Number(session), began };
}

function signal(pid: number, name: "SIGHUP" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // It has ended.
  }
}
