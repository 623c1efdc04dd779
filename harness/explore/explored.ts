/**
 * Explored: what an exploration of a variant came to, as plain data, and how several jobs' add up.
 */
export interface Explored {
  /** States that the model can come to, as far as it was asked. */
  states: number;
  /** Of these, how many there were before those were made one that nothing tells apart. */
  unfolded: number;
  /** Edges between them that were to be driven, of all states and of this job's. */
  edges: number;
  own: number;
  /** Of its own, those that were driven on the kernel. */
  driven: number;
  /** Of these, those that had been driven when it began. */
  before: number;
  /** Of its own, those that diverged: where they lead was not entered. */
  diverged: number;
  /** Of its own, those of states to which only such edges lead. */
  behind: number;
  /** Of its own, those of states that the kernel, which places blocks, never came to. */
  unreached: number;
  /** Operations on the way to them, and all others. */
  operations: number;
  /**
   * Edges that led elsewhere than the model had said, and agreed with it all the same once it had
   * been told where blocks are.
   */
  elsewhere: number;
  /** Of these, the ones that led to a state which the model does not come to by itself. */
  outside: number;
  /** Times that the page cache was another one, and was not when the walk was begun anew. */
  transient: number;
  /** Operations of the longest path to a state. */
  deepest: number;
  /** No operation leads out of the states. */
  closed: boolean;
  /** Others were left because there were too many. */
  full: boolean;
  /** On the kernel. */
  seconds: number;
}

/** Edges a second that this exploration drove. */
export function rateOf({ driven, before, seconds }: Explored): number {
  return (driven - before) / Math.max(seconds, 0.001);
}

/** Edges that were to be driven and were not tried, for no reason that the graph has. */
export function leftOf({ own, driven, diverged, behind, unreached }: Explored): number {
  return own - driven - diverged - behind - unreached;
}

/** What two jobs that shared the edges of a graph came to together; they ran side by side. */
export function together(a: Explored, b: Explored): Explored {
  return {
    ...a,
    own: a.own + b.own,
    driven: a.driven + b.driven,
    before: a.before + b.before,
    diverged: a.diverged + b.diverged,
    behind: a.behind + b.behind,
    unreached: a.unreached + b.unreached,
    operations: a.operations + b.operations,
    elsewhere: a.elsewhere + b.elsewhere,
    outside: a.outside + b.outside,
    transient: a.transient + b.transient,
    seconds: Math.max(a.seconds, b.seconds),
  };
}
