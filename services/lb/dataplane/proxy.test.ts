import { expect, test } from "vitest";
import { dataplaneContract } from "./contract.ts";
import { canMakeTestbed } from "./testbed.ts";

if (await canMakeTestbed()) dataplaneContract("proxy");
else test("the testbed needs root, `nft` and `ip`", () => expect(process.getuid?.()).not.toBe(0));
