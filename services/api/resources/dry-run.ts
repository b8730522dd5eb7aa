/** As Kubernetes says that there is no other sort of dry run; how Go shows a list of strings. */
export const dryRunFault = (given: readonly string[]): string => {
  const shown = given.map((one) => JSON.stringify(one.slice(0, 63))).join(", ");
  return `Unsupported value: []string{${shown}}: supported values: "All"`;
};
