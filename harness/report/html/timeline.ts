/**
 * What a report in HTML shows of how it came to a finding, as plain data. The script in the
 * document has it as JSON.
 */
import type { CachedPages, Extent } from "../../case/observation.ts";

/** What pictures are drawn of after an operation. */
export interface Look {
  /** Bytes. */
  i_size: number;
  map: Extent[];
  /** Blocks reserved for delayed allocation. */
  reserved: number;
  /** 512-byte units. */
  st_blocks: number;
  pages?: CachedPages;
}

/** A line of the table of a step. */
export interface Fact {
  name: string;
  /** Absent where the contract alone judges. */
  expected?: string;
  seen: string;
  differs: boolean;
}

/** Bytes of the file that an operation is about. */
export interface Touched {
  /** What stands before them. */
  label: string;
  pos: number;
  len: number;
  /** Bytes of its buffer that can be read, where those are not all. */
  readable?: number;
}

/** What is known after an operation. */
export interface Step {
  /** Index of the operation. */
  index: number;
  operation: string;
  touched: Touched;
  /** Absent where the contract alone judges, or nobody looked. */
  expected?: Look;
  seen?: Look;
  facts: Fact[];
  /** Where it is not the mounted file that is shown: in a line. */
  about?: string;
  /** The finding showed here. */
  shows: boolean;
}

/** What the script needs of a finding. */
export interface Timeline {
  /** Bytes. */
  blockSize: number;
  /** In order; the first operations may be left out. */
  steps: Step[];
}
