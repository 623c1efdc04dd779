/**
 * Variant: the file system under test, as data. The entries live in `images/variants.ts`.
 */
import * as z from "zod";

/** Bytes that a block may have: those above a page take a kernel with large folios in ext4 for them. */
export const BLOCK_SIZES = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;

const preparationSchema = z.discriminatedUnion("kind", [
  /**
   * A file of ours takes all of it but so many blocks, so that space runs out. Where exactly it
   * does depends on where the allocator puts blocks and how many the extent tree takes, which the
   * model leaves out: only the contract judges.
   */
  z.strictObject({
    kind: z.literal("full"),
    leavesFree: z.int().min(8),
    /**
     * The file system's own reserve is above the watermark of ext4_nonda_switch(), so that writes
     * are delayed up to the last block that may be had; the image grows with the processors
     * (subjects/reserve.ts).
     */
    reserveDelays: z.literal(true).optional(),
  }),
  /**
   * Its device can run out of room (subjects/thin.ts). For delayed allocation with dioread_nolock
   * and blocks of a page: there the room for a block is missing exactly as long as its extent is
   * not marked written, so that the model knows what may be refused.
   */
  z.strictObject({ kind: z.literal("thin") }),
  /**
   * Mounted with `mountOptions`, nodelalloc among them; then its files are made and opened, and
   * then it is remounted with delalloc (subjects/older-files.ts).
   */
  z.strictObject({ kind: z.literal("remounted") }),
]);

export const variantSchema = z.strictObject({
  /** Short, unique, typed by people: "4k-delalloc". */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  /** What it adds to the others, one line. */
  purpose: z.string(),
  /** Bytes. */
  blockSize: z.literal(BLOCK_SIZES),
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
  /** What is done to it, or what it lies on, beside mkfs and mount; absent where nothing is. */
  preparation: preparationSchema.optional(),
  /** Part of a run that names no variant. */
  byDefault: z.boolean(),
});

/** Blocks that are free from the beginning where hardly one is; else undefined. */
export function leavesFree({ preparation }: Pick<Variant, "preparation">): number | undefined {
  return preparation?.kind === "full" ? preparation.leavesFree : undefined;
}

/** Whether hardly a block is free from the beginning. */
export function mayFillUp(variant: Pick<Variant, "preparation">): boolean {
  return leavesFree(variant) !== undefined;
}

/** Whether its files are older than its mount options. */
export function isRemounted({ preparation }: Pick<Variant, "preparation">): boolean {
  return preparation?.kind === "remounted";
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
