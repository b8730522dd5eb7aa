import type { Case } from "./case.ts";

const debug = "kubectl/pkg/cmd/debug/debug.go";
const validation = "kubernetes/pkg/apis/core/validation/validation.go";

/** `debug`, and what it leaves behind; `patch --subresource resize`. */
export const debugCases: readonly Case[] = [
  {
    run: "debug single -c look --image=berth/hello:v1 --target=single -- sh -c 'ps -o args'",
    out: "Targeting container \"single\". If you don't see processes from this container it may be because the container runtime doesn't support this feature.",
    source: debug,
  },
  { run: "logs single -c look", out: "COMMAND\n<…>", until: true, source: "kubectl/pkg/cmd/logs" },
  {
    run: "get pod single -o 'jsonpath={.spec.ephemeralContainers[0].targetContainerName}'",
    out: "single",
    source: "kubernetes/pkg/registry/core/pod/strategy.go",
  },
  {
    run: "get pod single",
    out: "NAME  READY  STATUS  RESTARTS  AGE\nsingle  1/1  Running  0  <age>",
    source: "kubernetes/pkg/printers/internalversion/printers.go",
  },
  {
    run: "debug single -i -c shell --image=berth/hello:v1 -- sh",
    input: "echo typed\nexit 0\n",
    // Once its input has ended nothing more is told of a container whose stdin stays open.
    out: "<…>",
    err: "<…>",
    source: debug,
  },
  { run: "logs single -c shell", out: "typed", until: true, source: "kubectl/pkg/cmd/logs" },
  {
    run: "debug single -c lost --image=berth/hello:v1 --target=other -- true",
    out: 'Targeting container "other". <text>',
    err: 'The Pod "single" is invalid: spec.ephemeralContainers[2].targetContainerName: Not found: "other"',
    code: 1,
    source: validation,
  },
  {
    run: "debug nothing --image=berth/hello:v1",
    err: 'Error from server (NotFound): pods "nothing" not found',
    code: 1,
    source: debug,
  },
  {
    run: 'patch pod single --subresource=resize -p \'{"spec":{"containers":[{"name":"single","resources":{"requests":{"cpu":"10m"}}}]}}\'',
    err: 'The Pod "single" is invalid: spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
    code: 1,
    source: validation,
  },
];
