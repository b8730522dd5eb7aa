import { expect, test } from "vitest";
import { asShown, backOffEvents, failureShownMs, refusalEvents } from "./refusal-events.ts";

const texts = (told: ReturnType<typeof refusalEvents>) =>
  told.map(({ type, reason, message }) => `${type} ${reason} ${message}`);

test.each([
  [
    "ErrImagePull",
    "no such host",
    ["Warning Failed no such host", "Warning Failed Error: ErrImagePull"],
  ],
  [
    "CreateContainerConfigError",
    'configmap "c" not found',
    ['Warning Failed Error: configmap "c" not found'],
  ],
  [
    "FailedMount",
    'MountVolume.SetUp failed for volume "v"',
    ['Warning FailedMount MountVolume.SetUp failed for volume "v"'],
  ],
])("%s is told as the kubelet tells it", (reason, message, told) => {
  expect(texts(refusalEvents(reason, message))).toEqual(told);
});

test.each([
  [
    "ImagePullBackOff",
    ['Normal BackOff Back-off pulling image "i"', "Warning Failed Error: ImagePullBackOff"],
  ],
  ["CrashLoopBackOff", ["Warning BackOff back-off 10s"]],
  ["ContainerCreating", []],
])("waiting in %s is told", (reason, told) => {
  expect(texts(backOffEvents(reason, "back-off 10s", "i"))).toEqual(told);
});

test("a failed pull is shown with its error first, then as backed off with its image", () => {
  const held = { reason: "ErrImagePull", message: "no such host", retryAt: 20_000, since: 0 };
  expect(asShown(held, "i", failureShownMs - 1)).toEqual(held);
  expect(asShown(held, "i", failureShownMs)).toMatchObject({
    reason: "ImagePullBackOff",
    message: 'Back-off pulling image "i": ErrImagePull: no such host',
  });
  const other = { ...held, reason: "InvalidImageName" };
  expect(asShown(other, "i", failureShownMs)).toEqual(other);
});
