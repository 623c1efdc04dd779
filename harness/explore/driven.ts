/**
 * Driven edges, as a set and as plain data: so that an exploration can be stopped and gone on with,
 * by as many jobs or shards as there are then.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Which edges of a graph were driven. */
export interface DrivenEdges {
  /** Digest of the graph (`Graph.digest`). */
  graph: string;
  /** States times operations of the alphabet: the numbers that edges have. */
  size: number;
  /** One bit a number, deflated, base64. */
  edges: string;
  /** The same of edges that diverged, which are not among them; absent where none did. */
  diverged?: string;
}

/**
 * A set of edges of one graph, by number: that of the state times the operations of the alphabet,
 * and that of the operation.
 */
export class EdgeSet {
  readonly size: number;
  readonly #bits: Uint8Array;

  /** An empty set of edges with numbers below `size`. */
  constructor(size: number) {
    this.size = size;
    this.#bits = new Uint8Array(Math.ceil(size / 8));
  }

  add(edge: number): void {
    this.#bits[edge >> 3]! |= 1 << (edge & 7);
  }

  delete(edge: number): void {
    this.#bits[edge >> 3]! &= ~(1 << (edge & 7));
  }

  has(edge: number): boolean {
    return (this.#bits[edge >> 3]! & (1 << (edge & 7))) !== 0;
  }

  /** Add those of another set of the same graph. */
  addAll(other: EdgeSet): void {
    for (const [at, bits] of other.#bits.entries()) this.#bits[at]! |= bits;
  }

  pack(graph: string): DrivenEdges {
    const edges = deflateRawSync(this.#bits, { level: 1 }).toString("base64");
    return { graph, size: this.size, edges };
  }

  /** The set that `pack` made data of; undefined where it is none. */
  static unpack({ size, edges }: Pick<DrivenEdges, "size" | "edges">): EdgeSet | undefined {
    try {
      // A size that no set can have throws too.
      const set = new EdgeSet(size);
      const maxOutputLength = set.#bits.length + 1;
      const bits = inflateRawSync(Buffer.from(edges, "base64"), { maxOutputLength });
      if (bits.length !== set.#bits.length) return undefined;
      set.#bits.set(bits);
      return set;
    } catch {
      return undefined;
    }
  }
}

/** The edges of one graph, as plain data. */
export function packEdges(graph: string, driven: EdgeSet, diverged: EdgeSet): DrivenEdges {
  const none = new EdgeSet(diverged.size).pack(graph).edges;
  const { edges } = diverged.pack(graph);
  return { ...driven.pack(graph), ...(edges !== none && { diverged: edges }) };
}

/** The sets that `packEdges` made data of; undefined where one is none. */
export function unpackEdges(
  packed: DrivenEdges,
): { driven: EdgeSet; diverged: EdgeSet } | undefined {
  const { size, diverged: edges } = packed;
  const driven = EdgeSet.unpack(packed);
  const diverged =
    edges === undefined ? driven && new EdgeSet(size) : EdgeSet.unpack({ size, edges });
  return driven && diverged && { driven, diverged };
}
