/**
 * Which files are packed, and how: their names say so.
 */
import { fileError } from "../stored/shown.ts";

export type Packing = "brotli" | "gzip";

const packings: ReadonlyMap<string, Packing> = new Map<string, Packing>([
  ["br", "brotli"],
  ["gz", "gzip"],
]);

/**
 * Suffixes that say "packed" to everybody, so that what bears one must not be taken for text, nor
 * written as such.
 */
const UNKNOWN = new Set(
  ["zst", "zstd", "xz", "lzma", "bz2", "lz4", "lz", "lzo", "z", "7z", "zip", "tgz"], //
);

/**
 * How a file of this name is packed; undefined where it is not.
 *
 * @throws UsageError where it is packed in a way that is not known
 */
export function packingOf(path: string): Packing | undefined {
  const suffix = /\.([^./]+)$/.exec(path)?.[1] ?? "";
  const lower = suffix.toLowerCase();
  if (!UNKNOWN.has(lower)) return packings.get(lower);
  throw fileError(path, `.${suffix} is not known: a trace is packed as .br or .gz, or not at all`);
}

/** What may be wrong where a file that is not packed by its name is no text. */
export const NAME_OF_PACKED = "if the file is packed, its name must end in .br or .gz";
