import { describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { settings } from "../../properties/settings.ts";
import { ENOMEM } from "../../model/include/errno.ts";
import { FRESH_FILE } from "../contract/step/step.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { failedZeroingKeepsReservation } from "../../model/deviations/failed-zeroing-keeps-reservation.ts";
import { shortWriteKeepsReservation } from "../../model/deviations/short-write-keeps-reservation.ts";
import { zeroRangeLosesWrites } from "../../model/deviations/zero-range-loses-writes.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import type { Divergence } from "../finding/divergence.ts";
import { modelWith, witnessOf } from "./deviations.ts";
import { REPEATS, runCase, runPromised, withContract } from "./lockstep.ts";
import type { ModelSubject } from "./model-subject.ts";
import { Oracle } from "./oracle.ts";
import { ReplaySubject } from "./replay-subject.ts";

const { config } = settings.find(({ name }) => name === "4k-delalloc on 6.18")!;
const options = { variant: variants[0]!.name, blockSize: 4096 };
const operations: Operation[] = [
  { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
  { op: "fsync" },
];

/** What the model shows after each operation, changed by `change`. */
function recorded(change: (seen: Observation, step: number) => Observation): ReplaySubject {
  const model = modelWith(config, []);
  return new ReplaySubject(operations.map((o, i) => change(model.step(o, i), i)));
}

test("stops at the first operation after which the two differ", () => {
  const subject = recorded((seen, step) => (step === 0 ? seen : { ...seen, i_size: 1 }));
  const { steps, divergence } = runCase(modelWith(config, []), subject, operations, options);
  expect(steps).toBe(2);
  expect(divergence).toMatchObject({ step: 1, kind: "i_size", operations });
});

test("where zero_range brings back what is on disk, the model knows which bytes that is", () => {
  const { config: on7_3 } = settings.find(({ name }) => name === "4k-delalloc on 7.3")!;
  const list: Operation[] = [
    { op: "pwrite", pos: 0, len: 512, readable: 512 },
    { op: "fsync" },
    { op: "pwrite", pos: 0, len: 512, readable: 512 },
    { op: "fallocate", mode: "zero_range", pos: 0, len: 4096 },
    { op: "pread", pos: 0, len: 4096 },
  ];
  const model = modelWith(on7_3, [zeroRangeLosesWrites]);
  model.recordsDisk = true;
  model.begin();
  const [first] = list;
  model.step(first!, 0);
  const synced = model.step({ op: "pread", pos: 0, len: 512 }, 1).read!;
  model.begin();
  const seen = list.map((operation, index) => model.step(operation, index)).at(-1)!;
  const read = seen.read!;
  expect(read.subarray(0, 512)).toEqual(synced);
  expect(read.subarray(512).every((byte) => byte === 0)).toBe(true);
  const shown = read.slice();
  shown[3]! ^= 1;
  const last = list.at(-1)!;
  model.apply(last, list.length, new Oracle().tell(last, { ...seen, read: shown }));
  expect(model.observe(undefined).read).toEqual(read);
});

describe("a case that is handed over", () => {
  const short = { ...config, reserve: { watermark: 0, error: 0, reserved: config.freeBlocks } };
  const handed = (subject: ReplaySubject, quietMs?: number) => {
    const used = quietMs === undefined ? short : config;
    const promised = withContract(options, used, []);
    return runCase(modelWith(used, []), subject, operations, {
      ...promised,
      ...(quietMs !== undefined && { quietMs }),
    });
  };

  test.each([
    ["space", undefined],
    ["time", -1],
  ] as const)("for want of %s: what the model does not expect may be", (reason, quietMs) => {
    const subject = recorded((seen) => ({ ...seen, pages: { cached: 7, dirty: 0 } }));
    const { divergence, handedOver } = handed(subject, quietMs);
    expect(divergence).toBeUndefined();
    expect(handedOver).toEqual({ step: 0, reason });
  });

  test("what breaks a promise may not, and the report says who judged", () => {
    const { divergence } = handed(recorded((seen) => ({ ...seen, i_size: 1 })));
    expect(divergence?.kind).toBe("contract");
    expect(divergence?.message).toContain("judged by the contract alone from operation 0 on");
  });
});

test("a tree that grew stays: what counts is the most extents that the file ever had", () => {
  const grown = recorded((seen, step) => ({
    ...seen,
    pieces: step === 0 ? 400 : 1,
    st_blocks: seen.st_blocks + 8 * 5,
  }));
  expect(runCase(modelWith(config, []), grown, operations, options).divergence).toBeUndefined();
  const never = recorded((seen) => ({ ...seen, pieces: 1, st_blocks: seen.st_blocks + 8 * 5 }));
  const { divergence } = runCase(modelWith(config, []), never, operations, options);
  expect(divergence).toMatchObject({ step: 0, kind: "st_blocks" });
});

describe("a page cache that is another one", () => {
  /**
   * Agrees but for the page cache after the last operation, the first `times` that it comes there.
   */
  class Holding extends ReplaySubject {
    begun = 0;
    readonly #times: number;

    constructor(times: number) {
      const model = modelWith(config, []);
      super(operations.map((operation, i) => model.step(operation, i)));
      this.#times = times;
    }

    override begin(): void {
      this.begun += 1;
    }

    override step(operation: unknown, index: number): Observation {
      const seen = super.step(operation, index);
      const held = index === operations.length - 1 && this.begun <= this.#times;
      return held ? { ...seen, pages: { cached: 0, dirty: 0 } } : seen;
    }
  }

  const repeating = { ...options, repeats: REPEATS };

  test("for a moment is none: the case is begun anew, on both sides, and goes on", () => {
    const subject = new Holding(2);
    const steps: number[] = [];
    const onObservation = (_: Observation, step: number): void => void steps.push(step);
    const how = { ...repeating, onObservation };
    const result = runCase(modelWith(config, []), subject, operations, how);
    expect(result).toMatchObject({ steps: 2, divergence: undefined, transient: 1 });
    expect(subject.begun).toBe(3);
    expect(steps).toEqual([0, 1, 0, 1, 0, 1]);
  });

  test("is looked at with patience once it was another one, and not before or after", () => {
    const patient: (boolean | undefined)[] = [];
    class Noting extends Holding {
      patient?: boolean;
      override step(operation: unknown, index: number): Observation {
        patient.push(this.patient);
        return super.step(operation, index);
      }
    }
    const subject = new Noting(1);
    runCase(modelWith(config, []), subject, operations, repeating);
    expect([patient, subject.patient]).toEqual([[undefined, undefined, true, true], false]);
  });

  test("every time is a divergence", () => {
    const subject = new Holding(Infinity);
    const result = runCase(modelWith(config, []), subject, operations, repeating);
    expect(result).toMatchObject({ steps: 2, transient: 0 });
    expect(result.divergence).toMatchObject({
      step: 1,
      kind: "pages",
      message: "of the file's pages are 0 cached, 0 dirty, expected 1 cached, 0 dirty",
    });
    expect(subject.begun).toBe(1 + REPEATS);
  });

  test("is what nobody asks for where the case, begun anew, differs in something else", () => {
    class Failing extends Holding {
      override step(operation: unknown, index: number): Observation {
        const seen = super.step(operation, index);
        return this.begun > 1 && index === 0 ? { ...seen, result: -5 } : seen;
      }
    }
    const result = runCase(modelWith(config, []), new Failing(1), operations, repeating);
    expect(result.transient).toBe(0);
    expect(result.divergence).toMatchObject({ step: 0, kind: "result" });
  });

  test("is less than a promise that is broken with it", () => {
    // Both have lost the block that was written and synced.
    const losing = (): ModelSubject => {
      const model = modelWith(config, []);
      const apply = model.apply.bind(model);
      model.apply = (operation, step) => {
        apply(operation, step);
        if (operation.op === "fsync") model.inode.i_extents.delete(0, 1);
      };
      return model;
    };
    const kernel = losing();
    const seen = operations.map((operation, i) => kernel.step(operation, i));
    const dirty = { ...seen[1]!, pages: { cached: 1, dirty: 1 } };
    const promising = withContract(repeating, config, []);
    const subject = new ReplaySubject([seen[0]!, dirty]);
    expect(runCase(losing(), subject, operations, promising).divergence?.kind).toBe("contract");
    const unpromising = runCase(losing(), subject, operations, repeating);
    expect(unpromising.divergence?.kind).toBe("pages");
  });

  test("is not looked for where nobody asks, and not where the kernel does not tell", () => {
    const once = runCase(modelWith(config, []), new Holding(1), operations, options);
    expect(once.divergence?.kind).toBe("pages");
    const { divergence } = runCase(
      modelWith(config, []),
      recorded((seen) => ({ ...seen, pages: undefined })),
      operations,
      options,
    );
    expect(divergence).toBeUndefined();
  });
});

describe("where only the contract judges", () => {
  const full = { ...config, freeBlocks: 6 };
  /** What a kernel that has the one shows of the other, of which it is known to show these. */
  const judged = (
    known: readonly Deviation[],
    list: readonly Operation[],
  ): Divergence | undefined =>
    runPromised(
      modelWith(full, [failedZeroingKeepsReservation]),
      list,
      withContract(options, full, known, { mayFillUp: true }),
    ).divergence;

  const zeroing = witnessOf(failedZeroingKeepsReservation);
  const short: Operation[] = [{ op: "pwrite", pos: 0, len: 4096, readable: 512 }, { op: "unlink" }];

  test("what a known deviation breaks is excused once an operation has come that it takes", () => {
    expect(judged([failedZeroingKeepsReservation], zeroing)).toBeUndefined();
    expect(judged([shortWriteKeepsReservation], zeroing)).toMatchObject({
      step: 2,
      kind: "contract",
      message: expect.stringContaining("nothing-delayed-after-sync"),
    });
    expect(judged([shortWriteKeepsReservation], [...short, ...zeroing])).toBeUndefined();
  });

  test("one that does not say what it takes is excused from the first write on", () => {
    const { takes: _, ...any } = shortWriteKeepsReservation;
    expect(judged([any], zeroing)).toBeUndefined();
  });
});

test.each([
  ["a hole is left of it", [], [true, false]],
  ["it has a block", [{ lblk: 1, len: 1, state: "unwritten" as const }], [false, false]],
  ["it is delayed", [{ lblk: 1, len: 1, state: "delayed" as const }], [false, false]],
])("a write that lacks memory lacked it for the mapping where %s", (_, map, expected) => {
  const write: Operation = { op: "pwrite", pos: 4096, len: 4096, readable: 4096 };
  const seen = { ...FRESH_FILE, result: ENOMEM, map };
  const { mapping } = new Oracle().tell(write, seen).memoryFailure(4096, 0, [], 4096);
  expect([mapping(4096), mapping(8192)]).toEqual(expected);
});
