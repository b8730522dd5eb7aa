import type { Case } from "./case.ts";

const helm = { program: "helm" } as const;
const values =
  "--set image.repository=berth/hello,image.tag=v1,service.port=8080,readinessProbe.httpGet.path=/ready";

/** Helm's own chart, as `helm create` writes it: installed, upgraded, rolled back, removed. */
export const helmCases: readonly Case[] = [
  { ...helm, run: "create demo", out: "Creating demo", source: "helm/pkg/cmd/create.go" },
  {
    ...helm,
    run: `install shop demo --namespace helm --create-namespace ${values} --wait --timeout 120s`,
    out: "NAME: shop\nLAST DEPLOYED: <text>\nNAMESPACE: helm\nSTATUS: deployed\nREVISION: 1\n<…>",
    err: "<…>",
    source: "helm/pkg/cmd/status.go",
  },
  {
    run: "get deployment shop-demo -n helm",
    out: "NAME  READY  UP-TO-DATE  AVAILABLE  AGE\nshop-demo  1/1  1  1  <age>",
    source: "kubernetes/pkg/printers/internalversion/printers.go",
  },
  {
    ...helm,
    run: "list --namespace helm --no-headers",
    out: "shop<text>helm<text>1<text>deployed<text>demo-0.1.0<text>1.16.0",
    err: "<…>",
    source: "helm/pkg/cmd/list.go",
  },
  {
    ...helm,
    run: `upgrade shop demo --namespace helm ${values} --set image.tag=v2,replicaCount=2 --wait --timeout 120s`,
    out: "<…>\nNAME: shop\nLAST DEPLOYED: <text>\nNAMESPACE: helm\nSTATUS: deployed\nREVISION: 2\n<…>",
    err: "<…>",
    source: "helm/pkg/cmd/upgrade.go",
  },
  {
    run: "get deployment shop-demo -n helm -o wide --no-headers",
    out: "shop-demo  2/2  2  2  <age>  demo  berth/hello:v2  <word>",
    source: "kubernetes/pkg/printers/internalversion/printers.go",
  },
  {
    ...helm,
    run: "rollback shop 1 --namespace helm --wait --timeout 120s",
    out: "Rollback was a success! Happy Helming!",
    err: "<…>",
    source: "helm/pkg/cmd/rollback.go",
  },
  {
    run: "get deployment shop-demo -n helm -o wide --no-headers",
    out: "shop-demo  1/1  1  1  <age>  demo  berth/hello:v1  <word>",
    source: "kubernetes/pkg/printers/internalversion/printers.go",
  },
  {
    ...helm,
    run: "history shop --namespace helm --max 3 -o yaml",
    out: "<…>\n  description: Rollback to 1\n<…>",
    err: "<…>",
    source: "helm/pkg/cmd/history.go",
  },
  {
    ...helm,
    run: "uninstall shop --namespace helm --wait --timeout 60s",
    out: 'release "shop" uninstalled',
    err: "<…>",
    source: "helm/pkg/cmd/uninstall.go",
  },
  {
    run: "get all -n helm",
    err: "No resources found in helm namespace.",
    until: true,
    source: "kubectl/pkg/cmd/get",
  },
];
