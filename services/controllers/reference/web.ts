/** The workload of the reference's examples, small. */
import type { Pod } from "../../../libs/model/kinds/pod.ts";

type Labels = Readonly<Record<string, string>>;
type Templated = {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly Container[] } };
  };
};
type Container = { readonly image?: string | undefined };

/** A template of pods labelled `app: web`. */
export const template = (image = "web:v1", spec: object = {}, labels: Labels = {}) => ({
  metadata: { labels: { app: "web", ...labels } },
  spec: { containers: [{ name: "web", image }], ...spec },
});

/** A spec that makes and selects such pods. */
export const web = (more: object = {}) => ({
  selector: { matchLabels: { app: "web" } },
  template: template(),
  ...more,
});

export const imageOf = ({
  spec,
}: {
  readonly spec: { readonly containers: readonly Container[] };
}) => spec.containers[0]?.image;
/** In alphabetical order. */
export const imagesOf = (pods: readonly Pod[]): readonly string[] =>
  pods.map((one) => imageOf(one) ?? "").toSorted((a, b) => (a < b ? -1 : 1));
export const templateImage = ({ spec }: Templated) => imageOf(spec.template);
