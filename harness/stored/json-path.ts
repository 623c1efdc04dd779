/**
 * Places in a value out of JSON, as zod names them.
 */

/** The value at `path`, as far as there is one. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => {
    const has = typeof at === "object" && at !== null && Object.hasOwn(at, key);
    return has ? (at as Record<PropertyKey, unknown>)[key] : undefined;
  }, value);
}

/** operations[3].len */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}
