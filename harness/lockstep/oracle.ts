/**
 * Oracle: what the kernel was free to choose in an operation, by what was seen after it. It is
 * handed to the model with the operation, and by nothing else does the model hear of the kernel.
 *
 * It says where blocks are placed, which of them were zeroed for that, what a device without room
 * refused, how far a write without memory came, whether a sync committed, and what was read where
 * the model cannot know it.
 */
import { EIO, ENOMEM } from "../../model/include/errno.ts";
import { UNWRITTEN, WRITTEN } from "../../model/include/types.ts";
import type { Oracle as OracleOfCall, MemoryFailure, Refusal } from "../../model/include/types.ts";
import type { Unknown } from "../aspects/on-model.ts";
import { WHOLE_FILE } from "../case/extents.ts";
import type { Extent, Observation } from "../case/observation.ts";
import { indexAfter } from "../contract/step/extents-walk.ts";
import { effectsOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";

const always = (): boolean => true;
const never = (): boolean => false;

/** What a device refuses of which nobody tells: all that needs room. */
export const REFUSES_ALL: Refusal = { block: always, again: always, direct: true };

/** Allocations of memory of which nobody tells: number `nth` of those that the model knows fails. */
export function failsNth(nth: number): MemoryFailure {
  let left = nth;
  const counted = (): boolean => --left === 0;
  return { mapping: never, folio: counted, handle: counted, truncates: false };
}

/** Of an allocated block: its state, undefined where it has none, and where that ends. */
interface StateOfBlock {
  state: typeof WRITTEN | typeof UNWRITTEN | undefined;
  end: number;
}

const NO_OPERATIONS: readonly Operation[] = [];

/** Of a case: `tell` it of each operation, then hand it to the model. */
export class Oracle implements OracleOfCall {
  #seen!: Observation;
  #operation!: Operation;
  #commitsBefore = 0;
  #commits: boolean | undefined;
  /** What the kernel performed besides the operation. */
  followers: readonly Operation[] = NO_OPERATIONS;

  /** A case begins. */
  begin(): void {
    this.#commitsBefore = 0;
  }

  /** What was seen after the next operation. */
  tell(operation: Operation, seen: Observation, followers = NO_OPERATIONS): this {
    this.#operation = operation;
    this.#seen = seen;
    this.followers = followers;
    const { commits } = seen;
    this.#commits = commits === undefined ? undefined : commits > this.#commitsBefore;
    if (commits !== undefined) this.#commitsBefore = commits;
    return this;
  }

  /** Whether a sync in it committed; undefined where nobody knows better than the model. */
  get commits(): boolean | undefined {
    return this.#commits;
  }

  get saysError(): boolean {
    return this.#seen.result === EIO;
  }

  readonly #isUnwritten = (lblk: number): boolean => this.stateAt(lblk).state === UNWRITTEN;

  get staysUnwritten(): ((lblk: number) => boolean) | undefined {
    return effectsOf(this.#operation).goesOnAfterWriteback === true ? this.#isUnwritten : undefined;
  }

  /** Blocks that were looked at. */
  get windows(): NonNullable<Observation["windows"]> {
    return this.#seen.windows ?? WHOLE_FILE;
  }

  /** What an allocated block is after it. */
  stateAt(lblk: number): StateOfBlock {
    const extent = this.#extentAt(lblk);
    if (extent === undefined) return { state: undefined, end: lblk + 1 };
    const end = extent.lblk + extent.len;
    if (extent.state === "delayed") return { state: undefined, end };
    return { state: extent.state === "written" ? WRITTEN : UNWRITTEN, end };
  }

  /** The one that the block is in; undefined where it is a hole. */
  #extentAt(lblk: number): Extent | undefined {
    const { map } = this.#seen;
    const extent = map[indexAfter(map, lblk)];
    return extent === undefined || extent.lblk > lblk ? undefined : extent;
  }

  /**
   * Blocks that do not lie behind the block before them, where `known` were before: of those looked
   * at the ones that were seen. What was known of others stays; of blocks that are gone too, since
   * the operation that freed them may first have converted them.
   */
  breaks(known: ReadonlySet<number>): ReadonlySet<number> {
    const { breaks = [] } = this.#seen;
    if (breaks.length === 0 && known.size === 0) return known;
    const stays = (lblk: number): boolean =>
      !this.windows.some((window) => window.lblk < lblk && lblk < window.end) ||
      this.stateAt(lblk).state === undefined;
    return new Set([...[...known].filter(stays), ...breaks]);
  }

  /**
   * What a device without room refused: blocks that the allocator chose may have been used before,
   * and still have their room. `blockSize`: bytes.
   */
  refusal(blockSize: number): Refusal {
    const operation = this.#operation;
    const failed = this.#seen.result < 0;
    const block = (lblk: number): boolean => this.stateAt(lblk).state !== WRITTEN;
    // A direct write that could not write back what is cached goes the same way and does not tell;
    // but what it wrote is not written. Of what is cached beside it, in its folio, nobody can tell.
    const direct = effectsOf(operation).direct === true;
    const through =
      direct && !failed && "len" in operation && someBlock(operation, blockSize, block);
    const beside = failed ? false : undefined;
    const again = (): boolean | undefined => (direct ? through || beside : failed);
    return { block, again, direct: failed };
  }

  /**
   * Which allocation failed of a write at `pos` into a file of `i_size` bytes: where it ended early
   * that was at the folio it had come to; while it was mapped, if it is a hole. If i_size moved past
   * that, it was the last of what the folio takes; if nothing is left past EOF, where `before` has
   * something, it was one after which what the write had made there is truncated. All in bytes.
   */
  memoryFailure(
    pos: number,
    i_size: number,
    before: readonly Extent[],
    blockSize: number,
  ): MemoryFailure {
    const seen = this.#seen;
    const at = seen.result === ENOMEM ? pos : pos + Math.max(seen.result, 0);
    const late = seen.i_size > Math.max(i_size, at);
    const eof = Math.ceil(seen.i_size / blockSize);
    const isPastEof = ({ lblk, len }: Extent): boolean => lblk + len > eof;
    return {
      mapping: (from) =>
        !late && from === at && this.#extentAt(Math.floor(at / blockSize)) === undefined,
      folio: (from) => !late && from === at,
      handle: (from) => late && from === at,
      truncates: before.some(isPastEof) && !seen.map.some(isPastEof),
    };
  }

  /** Put into `read` what was read where the model does not know it. */
  fillIn(read: Uint8Array, unknown: readonly Unknown[]): void {
    const { read: bytes } = this.#seen;
    if (bytes === undefined) return;
    for (const { start, end } of unknown) read.set(bytes.subarray(start, end), start);
  }
}

/** Whether `is` holds for a block of the range. */
function someBlock(
  { pos, len }: { pos: number; len: number },
  blockSize: number,
  is: (lblk: number) => boolean,
): boolean {
  const end = Math.ceil((pos + len) / blockSize);
  for (let lblk = Math.floor(pos / blockSize); lblk < end; lblk++) if (is(lblk)) return true;
  return false;
}
