/**
 * A script for node in a pod: asks the API who it is, as clients in pods do, and writes its namespace and
 * the answer.
 *
 * @param host an expression: a name, or what the environment says
 */
export const asksTheApi = (host: string): string => `
  const { readFileSync } = require("node:fs");
  const of = (file) =>
    readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/" + file, "utf8");
  const request = require("node:https").request({
    host: ${host},
    port: process.env.KUBERNETES_SERVICE_PORT,
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    method: "POST",
    ca: of("ca.crt"),
    headers: { authorization: "Bearer " + of("token"), "content-type": "application/json" },
  }, (answer) => answer.on("data", (data) => process.stdout.write(of("namespace") + data)));
  request.end("{}");`;
