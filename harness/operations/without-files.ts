/**
 * Cases as they were stored before operations had files: `other_file` went on with the other of
 * the case's two files, and the first one was the first.
 */
const CHANGE = "other_file";

const isChange = (one: unknown): boolean =>
  typeof one === "object" && one !== null && "op" in one && one.op === CHANGE;

/** The operations, each with its file; what is no list, or has no such operation, as it is. */
export function withFiles(operations: unknown): unknown {
  if (!Array.isArray(operations) || !operations.some(isChange)) return operations;
  let file = 0;
  return operations.flatMap((one: unknown) => {
    if (isChange(one)) file = 1 - file;
    else return file === 0 || typeof one !== "object" ? [one] : [{ ...one, file }];
    return [];
  });
}

/** A record of a case whose step is an index in its operations: both as they are now. */
export function withFilesAndStep(record: unknown): unknown {
  if (typeof record !== "object" || record === null || !("operations" in record)) return record;
  const { operations } = record;
  if (!Array.isArray(operations) || !operations.some(isChange)) return record;
  const moved = (step: unknown): unknown =>
    typeof step === "number"
      ? Math.max(0, step - operations.slice(0, step + 1).filter(isChange).length)
      : step;
  const changed = { ...record, operations: withFiles(operations) };
  if ("step" in record) return { ...changed, step: moved(record.step) };
  const divergence = "divergence" in record ? record.divergence : undefined;
  if (typeof divergence !== "object" || divergence === null || !("step" in divergence)) {
    return changed;
  }
  return { ...changed, divergence: { ...divergence, step: moved(divergence.step) } };
}
