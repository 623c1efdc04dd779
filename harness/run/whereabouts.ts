/**
 * Where a worker was when it was last heard of.
 */
import type { Operation } from "../operations/operation.ts";
import type { Message } from "../workers/messages.ts";

export interface Whereabouts {
  /** "" before the first. */
  variant: string;
  /** Number of the case that it was to run; undefined before the first. */
  case: number | undefined;
  /** The operations that it was to run, where they are not those of a numbered case. */
  trying: readonly Operation[] | undefined;
  /** Numbers of cases whose files wait for a checkpoint. */
  kept: readonly number[];
  /** And what was done to those that are of no case. */
  keptWalks: readonly (readonly Operation[])[];
  /** It was in the middle of a checkpoint. */
  atCheckpoint: boolean;
}

/** Of a worker that has not begun. */
export const NOWHERE: Whereabouts = {
  variant: "",
  case: undefined,
  trying: undefined,
  kept: [],
  keptWalks: [],
  atCheckpoint: false,
};

/** Where a worker is that was there, and then said this. */
export function after(where: Whereabouts, message: Message): Whereabouts {
  if (message.type === "mounted") return { ...NOWHERE, variant: message.variant };
  if (message.type === "case") {
    const { variant, case: number } = message;
    const kept = message.kept ? [...where.kept, number] : where.kept;
    return { ...where, variant, case: number, trying: undefined, kept };
  }
  if (message.type === "trying") {
    return { ...where, variant: message.variant, trying: message.operations };
  }
  if (message.type === "walking") {
    const walked = message.fresh ? [] : (where.trying ?? []);
    return { ...where, variant: message.variant, trying: [...walked, ...message.operations] };
  }
  if (message.type === "kept") {
    return { ...where, keptWalks: [...where.keptWalks, message.operations] };
  }
  if (message.type === "renewed") return { ...NOWHERE, variant: message.variant };
  if (message.type === "checkpoint") {
    const waiting = message.done ? { kept: [], keptWalks: [] } : {};
    return { ...where, ...waiting, trying: undefined, atCheckpoint: !message.done };
  }
  return where;
}

/** " in case 7 of 4k-delalloc"; nothing where it has not begun. */
export function placeText({ variant, case: number, trying, atCheckpoint }: Whereabouts): string {
  if (variant === "") return "";
  if (atCheckpoint) return ` at a checkpoint of ${variant}`;
  if (trying !== undefined) return ` in a stored or shrunk case of ${variant}`;
  return number === undefined ? ` in ${variant}` : ` in case ${number} of ${variant}`;
}
