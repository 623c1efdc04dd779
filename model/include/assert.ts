/**
 * The model's own assertions. One that fails is a bug of ours (DESIGN.md: ModelBroken), never a
 * finding about the kernel, and it names the invariant that broke.
 */
export class ModelBroken extends Error {
  override readonly name = "ModelBroken";
}

/** Throws ModelBroken unless `condition` holds; `invariant` says what should have held. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new ModelBroken(invariant);
}
