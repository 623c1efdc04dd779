/**
 * Explored: what an exploration of a variant came to, as plain data, and how several jobs' add up.
 */
export interface Explored {
  /** States that the model can come to, as far as it was asked. */
  states: number;
  /** Edges between them that were to be driven, of all states and of this job's. */
  edges: number;
  own: number;
  /** Of its own, those that were driven on the kernel. */
  driven: number;
  /** Of its own, those of states that the kernel, which places blocks, does not come to by the model's path. */
  unreached: number;
  /** Operations on the way to them, and all others. */
  operations: number;
  /** New files. */
  walks: number;
  /** Edges that led elsewhere than the model had said, and agreed with it all the same once it had been told where blocks are. */
  elsewhere: number;
  /** Operations of the longest path to a state. */
  deepest: number;
  /** No operation leads out of the states. */
  closed: boolean;
  /** Seconds for the model alone, and then on the kernel. */
  modelSeconds: number;
  seconds: number;
}

/** What jobs that shared the edges of a graph came to together; they ran side by side. */
export function together(jobs: readonly [Explored, ...Explored[]]): Explored {
  const sum = (of: (one: Explored) => number): number =>
    jobs.reduce((total, one) => total + of(one), 0);
  const most = (of: (one: Explored) => number): number => Math.max(...jobs.map(of));
  return {
    ...jobs[0],
    own: sum(({ own }) => own),
    driven: sum(({ driven }) => driven),
    unreached: sum(({ unreached }) => unreached),
    operations: sum(({ operations }) => operations),
    walks: sum(({ walks }) => walks),
    elsewhere: sum(({ elsewhere }) => elsewhere),
    modelSeconds: most(({ modelSeconds }) => modelSeconds),
    seconds: most(({ seconds }) => seconds),
  };
}
