/**
 * Which states of a deterministic machine are one: Moore's refinement of a partition until nothing
 * tells two members of a class apart (E. F. Moore, Gedanken-experiments on sequential machines,
 * 1956).
 */

/** Multiplier of a hash of several numbers (2^32 over the golden ratio). */
const SPREAD = 0x9e3779b1;

/** One more number of a hash. */
function mix(hash: number, value: number): number {
  const spread = Math.imul(hash ^ value, SPREAD);
  return spread ^ (spread >>> 15);
}

function sameClasses(a: Int32Array, b: Int32Array, classes: Int32Array): boolean {
  return a.every((target, by) => classOf(target, classes) === classOf(b[by]!, classes));
}

/** The class of a target; what is none stays as it is. */
function classOf(target: number, classes: Int32Array): number {
  return target < 0 ? target : classes[target]!;
}

/**
 * A class for each state, where two states are in one if they were before and each of their targets
 * is.
 */
function refined(classes: Int32Array, targets: readonly Int32Array[], slots: Int32Array): number {
  const next = new Int32Array(classes.length);
  const mask = slots.length - 1;
  let count = 0;
  slots.fill(-1);
  for (const [state, row] of targets.entries()) {
    let hash = mix(SPREAD, classes[state]!);
    for (const target of row) hash = mix(hash, classOf(target, classes));
    let slot = hash & mask;
    for (;;) {
      const first = slots[slot]!;
      if (first < 0) {
        slots[slot] = state;
        next[state] = count++;
        break;
      }
      if (classes[first] === classes[state] && sameClasses(targets[first]!, row, classes)) {
        next[state] = next[first]!;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  for (let state = targets.length; state < classes.length; state++) next[state] = count++;
  classes.set(next);
  return count;
}

/**
 * The coarsest partition in which two states of one class have the same output and each operation
 * leads from both to one class.
 *
 * @param outputs of each state of which the targets are known, a number for what tells it from
 * others by itself
 * @param targets of each of these, where each operation leads: a state, or something negative
 * @param states how many there are; those of which nothing is known are alone
 * @returns a class for each, numbered in the order of their first members
 */
export function coarsestPartition(
  outputs: readonly number[],
  targets: readonly Int32Array[],
  states: number,
): Int32Array {
  const known = outputs.reduce((most, output) => Math.max(most, output), -1) + 1;
  const classes = Int32Array.from(
    { length: states },
    (_, state) => outputs[state] ?? known + state,
  );
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * targets.length + 2)));
  for (let before = -1, count = 0; count !== before;) {
    before = count;
    count = refined(classes, targets, slots);
  }
  return classes;
}
