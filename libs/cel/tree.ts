/**
 * What is done to cel-js's tree of an expression before it runs: calls of functions that are replaced get
 * their new names, and every node counts its cost. cel-js has no types for its nodes' insides; these are
 * as much of them as is used, of version 8.0.0 exactly.
 */
import { type ASTNode, Optional } from "@marcbachmann/cel-js";
import { charge, chargeFor } from "./budget.ts";
import { replacedFunctions, replacedPrefix } from "./functions/strings.ts";

type Evaluator = {
  readonly run: (node: Node, scope: unknown) => unknown;
  readonly debugType: (value: unknown) => {
    readonly fieldLazy: (value: unknown, name: string, node: Node, evaluator: Evaluator) => unknown;
  };
};
type Evaluate = (evaluator: Evaluator, node: Node, scope: unknown) => unknown;
type Node = {
  readonly op: string;
  readonly args: unknown;
  readonly meta: {
    readonly evaluate: Evaluate;
    readonly alternate?: unknown;
    readonly macro?: unknown;
  };
  readonly setMeta: (key: "evaluate", value: Evaluate) => Node;
  readonly left?: Node;
  readonly right?: Node;
  readonly receiverWithArgs?: readonly Node[];
  readonly handle?: (...args: readonly unknown[]) => unknown;
};

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "op" in value && "setMeta" in value;

/** Every node that the user wrote; macros share these very nodes with what they expand to. */
function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesOf(item);
  if (!isNode(value)) return;
  yield value;
  yield* nodesOf(value.args);
}

/** `text.matches(pattern)` becomes a call of ours. */
export function replaceCalls(tree: ASTNode): void {
  for (const { op, args } of nodesOf(tree)) {
    if (op !== "rcall" || !Array.isArray(args)) continue;
    const [name] = args as [string];
    if (replacedFunctions.has(name)) args[0] = `${replacedPrefix}${name}`;
  }
}

type Macro = {
  readonly args: readonly Node[];
  typeCheck: (checker: Checker, macro: Macro, scope: unknown) => unknown;
  evaluate: (evaluator: Evaluator, macro: Macro, scope: unknown) => boolean;
};
type Checker = {
  readonly check: (node: Node, scope: unknown) => unknown;
  readonly boolType: unknown;
};

/**
 * `has(a.b)` asks any value for its field, where cel-js takes nothing but a path from a variable. It is
 * checked as `a.b` is: that is a field which there may be.
 */
export function replacePresence(tree: ASTNode): void {
  for (const { op, args, meta } of nodesOf(tree)) {
    if (op !== "call" || !Array.isArray(args) || args[0] !== "has") continue;
    const macro = meta.macro as Macro; // Of a call of a macro.
    const [field] = macro.args;
    if (field?.op !== ".") continue; // That is refused.
    const [of, name] = field.args as [Node, string];
    macro.typeCheck = (checker, _, scope) => (checker.check(field, scope), checker.boolType);
    macro.evaluate = (evaluator, _, scope) =>
      presentIn(evaluator.run(of, scope), name, field, evaluator);
  }
}

function presentIn(value: unknown, name: string, field: Node, evaluator: Evaluator): boolean {
  if (value instanceof Optional)
    return value.hasValue() && presentIn(value.value(), name, field, evaluator);
  return evaluator.debugType(value).fieldLazy(value, name, field, evaluator) !== undefined;
}

/** Every name that stands for a value, variables of macros among them. */
export function namesIn(tree: ASTNode): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { op, args } of nodesOf(tree)) if (op === "id") names.add(String(args));
  return names;
}

/** After the check, which chooses how a node is evaluated, and before the first evaluation. */
export function countCost(tree: ASTNode): void {
  for (const node of nodesOf(tree)) {
    if (node.meta.alternate !== undefined || node.meta.macro !== undefined) continue;
    node.setMeta("evaluate", counted(node));
  }
}

const compared: ReadonlySet<string> = new Set(["==", "!=", "in", "+"]);

function counted(node: Node): Evaluate {
  const { evaluate } = node.meta;
  if (compared.has(node.op)) return evaluateBinary;
  if (node.op === "rcall") return evaluateMethod;
  if (node.op === "call") return evaluateCall;
  return (evaluator, self, scope) => {
    charge(1);
    return evaluate(evaluator, self, scope);
  };
}

const evaluateBinary: Evaluate = (evaluator, node, scope) => {
  const left = evaluator.run(node.left as Node, scope); // The check has set both.
  const right = evaluator.run(node.right as Node, scope);
  charge(1);
  chargeFor(left, right);
  return node.handle?.(left, right, node, evaluator);
};

const evaluateMethod: Evaluate = (evaluator, node, scope) => {
  const args = (node.receiverWithArgs ?? []).map((one) => evaluator.run(one, scope));
  charge(1);
  chargeFor(...args);
  return node.handle?.(args, evaluator, node);
};

const evaluateCall: Evaluate = (evaluator, node, scope) => {
  const [, parameters] = node.args as [string, readonly Node[]];
  const args = parameters.map((one) => evaluator.run(one, scope));
  charge(1);
  chargeFor(...args);
  return node.handle?.(args, node, evaluator);
};
