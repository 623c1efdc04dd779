/**
 * Variant: the file system under test, as data. The entries live in `images/variants.ts`.
 */
import * as z from "zod";

export const variantSchema = z.strictObject({
  /** Short, unique, typed by people: "4k-delalloc". */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  /** What it adds to the others, one line. */
  purpose: z.string(),
  /** Bytes: 1024, 2048 or 4096. */
  blockSize: z.union([z.literal(1024), z.literal(2048), z.literal(4096)]),
  delalloc: z.boolean(),
  /** ordered and journal as in data=; none is a file system without a journal. */
  journal: z.enum(["ordered", "journal", "none"]),
  /** dioread_lock makes buffered writeback allocate written extents at once. */
  dioread: z.enum(["nolock", "lock"]),
  /** Bytes of the image. */
  imageSize: z.int().min(2 ** 20),
  /** Further mkfs.ext4 arguments. */
  mkfsOptions: z.array(z.string()),
  /** Further mount options. */
  mountOptions: z.array(z.string()),
  /**
   * A file of ours takes all of it but so many blocks, so that space runs out. Where exactly it
   * does depends on where the allocator puts blocks and how many the extent tree takes, which the
   * model leaves out: only the contract judges.
   */
  leavesFree: z.int().min(8).optional(),
  /**
   * The file system's own reserve is above the watermark of ext4_nonda_switch(), so that writes are
   * delayed up to the last block that may be had; the image grows with the processors
   * (subjects/reserve.ts).
   */
  reserveDelays: z.literal(true).optional(),
  /**
   * Its device can run out of room (subjects/thin.ts). For delayed allocation with dioread_nolock
   * and blocks of a page: there the room for a block is missing exactly as long as its extent is
   * not marked written, so that the model knows what may be refused.
   */
  thin: z.literal(true).optional(),
  /**
   * Mounted with `mountOptions`, nodelalloc among them; then its files are made and opened, and
   * then it is remounted with delalloc (subjects/older-files.ts).
   */
  remounted: z.literal(true).optional(),
  /** Part of a run that names no variant. */
  byDefault: z.boolean(),
});

/** Whether hardly a block is free from the beginning. */
export function mayFillUp({ leavesFree }: Variant): boolean {
  return leavesFree !== undefined;
}

/**
 * Whether the model can say what happens on a variant of ours; of others, subjects/modelled.ts asks
 * the file system that was made.
 */
export function isModelled(variant: Variant): boolean {
  return !mayFillUp(variant);
}

/** Why not, where it cannot. */
export const NOT_MODELLED = "space runs out there, which the model does not follow";

export type Variant = z.infer<typeof variantSchema>;
