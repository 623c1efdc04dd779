/**
 * Variants that came from a file.
 *
 * A variant is the argument list of mkfs.ext4 and mount, run as root. One of our own may say what
 * it likes; one that somebody mailed may only describe a file system inside the image. So: no word
 * that could be a path or a device, no external journal, nothing that asks the kernel to panic, and
 * an image that fits.
 */
import * as z from "zod";
import { variantSchema } from "../case/variant.ts";

/**
 * Bytes of the largest image: enough for a block group of every size, and it fits where the tool
 * runs.
 */
const MAX_IMAGE_BYTES = 4 * 2 ** 30;

/** Options of mkfs.ext4 that only shape the file system; each is followed by its value. */
const MKFS_OPTIONS = new Set(["-O", "-E", "-J", "-C", "-G", "-I", "-N", "-g", "-i", "-m"]);

/** Words of mkfs and mount options: no slash, no space, and no sign that begins an option. */
const WORD = /^[A-Za-z0-9^_][A-Za-z0-9^_=,.:-]*$/;

/** Features that change what a write does, and that no variant of ours has. */
const NOT_MODELLED =
  /bigalloc|inline_data|encrypt|verity|casefold|\bquota|project|(?:^|,)\^extents?|\bdax|\bsync\b/;

const FORBIDDEN = /device=|journal_dev|journal_path|errors=panic|\bloop\b|\boffset=/;

function harmless(word: string): boolean {
  return word.length <= 200 && WORD.test(word) && !FORBIDDEN.test(word);
}

/** Files may also say a preparation by members of the variant itself, those of one kind only. */
function withPreparation(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { leavesFree, reserveDelays, ...rest } = value as Record<string, unknown>;
  if (leavesFree !== undefined) {
    const delays = reserveDelays === undefined ? {} : { reserveDelays };
    return { preparation: { kind: "full", leavesFree, ...delays }, ...rest };
  }
  for (const kind of ["thin", "remounted"]) {
    const { [kind]: said, ...others } = value as Record<string, unknown>;
    if (said === true) return { preparation: { kind }, ...others };
  }
  return value;
}

const checkedSchema = variantSchema.superRefine((variant, context) => {
  const refuse = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: "custom", path, message });
  };
  const { blockSize, delalloc, dioread, journal, preparation } = variant;
  const { mkfsOptions, mountOptions } = variant;
  const mkfs = mkfsOptions.findIndex((word, i) => {
    if (i % 2 === 1) return !harmless(word);
    return !MKFS_OPTIONS.has(word) || mkfsOptions[i + 1] === undefined;
  });
  if (mkfs >= 0) refuse(["mkfsOptions", mkfs], "is not accepted from a file");
  const mount = mountOptions.findIndex((option) => !harmless(option));
  if (mount >= 0) refuse(["mountOptions", mount], "is not accepted from a file");
  const unknown = [...mkfsOptions, ...mountOptions].find((word) => NOT_MODELLED.test(word));
  if (unknown !== undefined) refuse([], `"${unknown}" is something that the model does not know`);
  const kind = preparation?.kind;
  const nodelalloc = mountOptions.includes("nodelalloc");
  const mounted = (nodelalloc && kind !== "remounted") || journal === "journal";
  if (delalloc === mounted) refuse(["delalloc"], "contradicts the mount options");
  const data = mountOptions.includes("data=journal");
  if (data !== (journal === "journal")) refuse(["journal"], "contradicts the mount options");
  const known = blockSize === 4096 && delalloc && dioread === "nolock" && journal === "ordered";
  if (kind === "thin" && !known) {
    const where = "4096-byte blocks, delalloc, dioread_nolock and data=ordered";
    refuse(["preparation"], `thin is known with ${where} only`);
  }
  if (kind === "remounted" && !(nodelalloc && delalloc)) {
    refuse(["preparation"], "remounted is from nodelalloc to delalloc");
  }
  if (preparation?.kind === "full" && preparation.reserveDelays && !delalloc) {
    refuse(["preparation", "reserveDelays"], "is of delayed allocation");
  }
  if (variant.imageSize > MAX_IMAGE_BYTES) {
    refuse(["imageSize"], `more than ${MAX_IMAGE_BYTES} bytes are not accepted from a file`);
  }
});

/** A variant from a file. */
export const foreignVariantSchema = z.preprocess(withPreparation, checkedSchema);
