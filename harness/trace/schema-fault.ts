/**
 * What a schema says of a value, which value it is, and what may be there instead.
 */
import type * as z from "zod";
import { pathText, valueAt } from "../stored/json-path.ts";
import { shown, shownName } from "../stored/shown.ts";

/** What a value of the wrong type is not. */
const types: Readonly<Record<string, string>> = {
  object: "is no object",
  array: "is no list",
  string: "is no string",
  boolean: "is neither true nor false",
  number: "is no whole number",
  int: "is no whole number",
};

/** Values of which one is right: those of a list, or of the members of a union. */
function allowedBy(issue: z.core.$ZodIssue): unknown[] {
  if (issue.code === "invalid_value") return issue.values;
  return issue.code === "invalid_union" ? issue.errors.flat().flatMap(allowedBy) : [];
}

/** A schema may have words of its own; these are zod's. */
const ZODS_OWN = /^(Invalid|Too|Unrecognized)\b/;

function reasonOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (!ZODS_OWN.test(issue.message)) return issue.message;
  if (issue.code === "unrecognized_keys") return "there is no such field";
  const text = shown(value);
  const allowed = allowedBy(issue);
  if (allowed.length > 0) return `${text} is none of ${allowed.join(", ")}`;
  if (issue.code === "invalid_union" && issue.path.at(-1) === "op") {
    return `there is no operation ${text}`;
  }
  if (issue.code === "invalid_type") return `${text} ${types[issue.expected] ?? "is wrong"}`;
  if (issue.code === "invalid_format") return `${text} does not match ${issue.pattern}`;
  const isText = typeof value === "string";
  if (issue.code === "too_big") {
    const limit = String(issue.maximum);
    return isText ? `is longer than ${limit} characters` : `${text} is more than ${limit}`;
  }
  if (issue.code === "too_small") return `${text} is less than ${String(issue.minimum)}`;
  return issue.message;
}

/**
 * What `schema` makes of `value`, which is at `at` in a line.
 *
 * @throws what `error` makes of the first fault: where it is, and what
 */
export function parsedBy<T>(
  schema: z.ZodType<T>,
  value: unknown,
  error: (fault: string) => Error,
  at: readonly PropertyKey[] = [],
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const wrong = valueAt(value, issue.path);
  const reason = wrong === undefined ? "is missing" : reasonOf(issue, wrong);
  // A key is somebody's text: it is shown with the care that a value gets.
  const keys = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1).map(shownName) : [];
  throw error(`${pathText([...at, ...issue.path, ...keys])}: ${reason}`);
}
