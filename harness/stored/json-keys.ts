/**
 * What JSON.parse lets pass: a key twice in one object, of which it takes the last without a word,
 * and brackets so deep inside one another that nobody can walk through the value any more.
 */
import { visit } from "jsonc-parser";

/** A key that an object has already, and where it stands again; line and column from 1. */
export interface RepeatedKey {
  name: string;
  line: number;
  column: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;

/** What a JSON text will take to be parsed and walked through. */
export interface Shape {
  /** Brackets inside one another, where they are deepest. */
  depth: number;
  objects: number;
  /** Lists, objects, and commas between what is in them. */
  values: number;
}

export function shapeOf(text: string): Shape {
  const shape: Shape = { depth: 0, objects: 0, values: 0 };
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) quoted = !quoted;
    else if (code === BACKSLASH) i += 1;
    else if (quoted) continue;
    // "{" and "[" differ in one bit, and so do those that close.
    else if ((code | 0x20) === BRACE) {
      shape.depth = Math.max(shape.depth, ++depth);
      shape.values += 1;
      if (code === BRACE) shape.objects += 1;
    } else if ((code | 0x20) === 0x7d) depth -= 1;
    else if (code === COMMA) shape.values += 1;
  }
  return shape;
}

/** What is wrong with JSON text that is deeper than `limit`; undefined where it is not. */
export function depthFault({ depth }: Shape, limit: number): string | undefined {
  if (depth <= limit) return undefined;
  return `has brackets inside one another, more than ${limit} deep`;
}

/**
 * The first key that an object has twice; undefined where none has.
 *
 * @param text JSON, its brackets not so deep that recursion ends: a few thousand
 */
export function repeatedKey(text: string): RepeatedKey | undefined {
  const keys: Set<string>[] = [];
  let found: RepeatedKey | undefined;
  visit(text, {
    onObjectBegin: () => void keys.push(new Set()),
    onObjectEnd: () => void keys.pop(),
    onObjectProperty(name, _offset, _length, line, column) {
      const known = keys.at(-1) as Set<string>;
      if (known.has(name)) found ??= { name, line: line + 1, column: column + 1 };
      known.add(name);
    },
  });
  return found;
}

/**
 * How many colons there are in `text`: where no string has one, as many as there are keys, the
 * repeated ones with them.
 */
export function colonsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) count += 1;
  return count;
}
