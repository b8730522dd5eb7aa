import { describe, expect, test } from "vitest";
import type { GrantedToken, NodeConfig } from "../../../libs/protocol/node.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import type { ConfigAsked } from "../session/session.ts";
import { Unanswered } from "./environment.ts";
import { aWork } from "./fixtures.ts";
import { podSources } from "./sources.ts";

const projected = (audience: string | undefined, expirationSeconds: number) => ({
  name: `t-${audience}`,
  projected: {
    sources: [{ serviceAccountToken: { audience, expirationSeconds, path: "token" } }],
  },
});
const work = aWork({
  volumes: [projected(undefined, 1_000), { name: "c", configMap: { name: "settings" } }],
  containers: [{ name: "main" }],
});
const own = { audience: "", expirationSeconds: 1_000 };

function stage({ grants = true } = {}) {
  const clock = virtualClock();
  const asked: ConfigAsked[] = [];
  const plane = { answers: true, grants };
  const config = async (question: ConfigAsked): Promise<NodeConfig> => {
    asked.push(question);
    if (!plane.answers) throw new Error("nobody answers");
    const token = (ref: ConfigAsked["tokens"][number]): GrantedToken => ({
      ...ref,
      token: `token-${asked.length}`,
      lifeSeconds: ref.expirationSeconds,
    });
    const data = { a: Buffer.from(String(asked.length)).toString("base64") };
    return {
      cut: 1,
      found: question.refs.map((ref) => ({ ...ref, revision: 1, data })),
      missing: [],
      claims: [],
      tokens: plane.grants ? question.tokens.map(token) : [],
    };
  };
  return { clock, asked, plane, sources: podSources({ config }, clock) };
}

describe("a pod's sources", () => {
  test("are asked for at once, and a token only when it is due", async () => {
    const { clock, asked, sources } = stage();
    expect(sources.renewAt()).toBeUndefined();
    expect((await sources.read(work)).readToken(own)).toBe("token-1");
    expect((await sources.read(work)).readToken(own)).toBe("token-1");
    expect(asked.map(({ tokens, refs }) => [tokens.length, refs.length])).toEqual([
      [1, 1],
      [0, 1],
    ]);
    const dueInMs = (sources.renewAt() ?? 0) - clock.now();
    expect(dueInMs).toBeGreaterThanOrEqual(700_000);
    expect(dueInMs).toBeLessThanOrEqual(800_000);
    await clock.advance(dueInMs);
    expect((await sources.read(work)).readToken(own)).toBe("token-3");
  });

  test("are as they were last where nobody answers", async () => {
    const { plane, sources } = stage();
    await sources.read(work);
    plane.answers = false;
    const kept = await sources.readOrKept(work);
    expect(kept.readToken(own)).toBe("token-1");
    expect(kept.read("ConfigMap", "settings")?.["a"]).toEqual(Buffer.from("1"));
    await expect(sources.read(work)).rejects.toThrow("nobody answers");
  });

  test("are not known where nobody ever answered", async () => {
    const { plane, sources } = stage();
    plane.answers = false;
    const kept = await sources.readOrKept(work);
    expect(() => kept.read("ConfigMap", "settings")).toThrow(Unanswered);
    expect(() => kept.readToken(own)).toThrow(Unanswered);
  });

  test("lack a token that is not granted, and it is asked for again", async () => {
    const { clock, plane, sources } = stage({ grants: false });
    expect((await sources.read(work)).readToken(own)).toBeUndefined();
    expect(sources.renewAt()).toBe(clock.now() + 10_000);
    plane.grants = true;
    await clock.advance(10_000);
    expect((await sources.read(work)).readToken(own)).toBe("token-2");
  });

  test("of a pod that names nothing are not asked for", async () => {
    const { asked, sources } = stage();
    await sources.read(aWork({ containers: [{ name: "main" }] }));
    expect(asked).toEqual([]);
  });
});
