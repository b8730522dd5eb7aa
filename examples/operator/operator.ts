/**
 * An operator as a user writes one, with a public framework: each Website becomes a Deployment, and
 * when it is deleted the operator takes that away. It finds the cluster as kubectl does:
 *
 *     KUBECONFIG=… node examples/operator/operator.ts
 */
import { join } from "node:path";
import { AppsV1Api, KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import framework, { type ResourceEvent } from "@dot-i/k8s-operator";

type Website = KubernetesObject & {
  readonly spec: { readonly greeting: string; readonly replicas: number };
  readonly metadata: { readonly generation: number };
};

const finalizer = "websites.example.dev/cleanup";
const definition = join(import.meta.dirname, "websites.yaml");

const log = (message: string) => process.stderr.write(`${message}\n`);
const logger = { debug: () => undefined, info: log, warn: log, error: log };

const config = new KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(AppsV1Api);

// The framework is CommonJS: its default export is a member of what Node imports.
class WebsiteOperator extends framework.default {
  protected async init(): Promise<void> {
    const { group, versions, plural } = await this.registerCustomResourceDefinition(definition);
    await this.watchResource(group, versions[0]?.name ?? "v1", plural, (event) =>
      this.changed(event),
    );
  }

  private async changed(event: ResourceEvent): Promise<void> {
    if (event.type === framework.ResourceEventType.Deleted) return;
    const settled = await this.handleResourceFinalizer(event, finalizer, ({ meta }) =>
      this.remove(meta),
    );
    if (settled) return;
    const { spec, metadata } = event.object as Website; // As its schema admits it.
    await this.apply(event.meta, spec);
    await this.setResourceStatus(event.meta, {
      phase: "Deployed",
      observedGeneration: metadata.generation,
    });
  }

  private async apply(
    { name, namespace = "default" }: ResourceEvent["meta"],
    { greeting, replicas }: Website["spec"],
  ): Promise<void> {
    const labels = { website: name };
    const container = {
      name: "site",
      image: "berth/hello:v1",
      env: [{ name: "GREETING", value: greeting }],
    };
    const body = {
      metadata: { name, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    };
    try {
      await api.createNamespacedDeployment({ namespace, body });
    } catch (error) {
      if (codeOf(error) !== 409) throw error;
      await api.replaceNamespacedDeployment({ name, namespace, body });
    }
  }

  private async remove({ name, namespace = "default" }: ResourceEvent["meta"]): Promise<void> {
    try {
      await api.deleteNamespacedDeployment({ name, namespace });
    } catch (error) {
      if (codeOf(error) !== 404) throw error;
    }
  }
}

/** The HTTP code of a refusal, as the client tells it. */
const codeOf = (error: unknown) => (error as { readonly code?: number }).code;

const operator = new WebsiteOperator(logger);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    operator.stop();
    process.exit(0);
  });
}
await operator.start();
log("the operator watches Websites");
