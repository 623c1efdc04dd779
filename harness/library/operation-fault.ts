/**
 * What is wrong with an operation that may come from anywhere, without zod: by the shapes that its
 * schemas have, and the rules that those add.
 */
import { effectsOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { shapes } from "../operations/shapes.ts";
import type { Shape } from "../operations/shapes.ts";
import { pathText } from "../stored/json-path.ts";

type Path = readonly PropertyKey[];

const at = (path: Path, reason: string): string =>
  path.length === 0 ? reason : `${pathText(path)}: ${reason}`;

const text = (value: unknown): string =>
  typeof value === "object" && value !== null ? "that" : (JSON.stringify(value) ?? String(value));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function faultInNumber(value: unknown, { minimum, maximum }: Shape, path: Path) {
  if (typeof value !== "number" || !Number.isInteger(value)) {
    return at(path, `${text(value)} is no whole number`);
  }
  if (minimum !== undefined && value < minimum) return at(path, `${value} is less than ${minimum}`);
  if (maximum !== undefined && value > maximum) return at(path, `${value} is more than ${maximum}`);
  return undefined;
}

function faultInList(value: unknown, shape: Shape, path: Path): string | undefined {
  const { items = {}, minItems = 0, maxItems = Infinity } = shape;
  if (!Array.isArray(value)) return at(path, `${text(value)} is no list`);
  if (value.length < minItems) return at(path, `has fewer than ${minItems}`);
  if (value.length > maxItems) return at(path, `has more than ${maxItems}`);
  const faults = value.map((one: unknown, i) => faultIn(one, items, [...path, i]));
  return faults.find((fault) => fault !== undefined);
}

/** Of what has a name of its own, `op`: the shape of that name. */
function faultInNamed(value: unknown, named: readonly Shape[], path: Path): string | undefined {
  if (!isRecord(value)) return at(path, `${text(value)} is no object`);
  const shape = named.find(({ properties }) => properties?.["op"]?.const === value["op"]);
  if (shape === undefined) return at([...path, "op"], `there is no operation ${text(value["op"])}`);
  const { properties = {}, required = [] } = shape;
  const more = Object.keys(value).find((key) => !Object.hasOwn(properties, key));
  if (more !== undefined) return at([...path, more], "there is no such field");
  for (const [key, field] of Object.entries(properties)) {
    const here = [...path, key];
    if (value[key] === undefined) {
      if (required.includes(key)) return at(here, "is missing");
      continue;
    }
    const fault = faultIn(value[key], field, here);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultIn(value: unknown, shape: Shape, path: Path): string | undefined {
  if (shape.oneOf !== undefined) return faultInNamed(value, shape.oneOf, path);
  const allowed = shape.enum ?? shape.anyOf?.map((one) => one.const);
  const values = Object.hasOwn(shape, "const") ? [shape.const] : allowed;
  if (values !== undefined) {
    if (values.includes(value)) return undefined;
    return at(path, `${text(value)} is none of ${values.join(", ")}`);
  }
  return shape.type === "array"
    ? faultInList(value, shape, path)
    : faultInNumber(value, shape, path);
}

/** The first fault: which field, and why; undefined where it is an operation. */
export function operationFault(value: unknown): string | undefined {
  const fault = faultIn(value, shapes, []);
  if (fault !== undefined) return fault;
  const operation = value as Operation;
  const broken = effectsOf(operation).rules?.find(({ check }) => !check(operation));
  return broken && at(broken.says.path, broken.says.error);
}
