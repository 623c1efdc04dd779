/**
 * Known deviations that show only after a power cut: found out by their witnesses, on the image
 * that they are to be expected of.
 */
import { unlinkSync } from "node:fs";
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import type { ModelConfig } from "../../model/tables.ts";
import type { MountedImage } from "../subjects/image.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { cutPower, survivesPowerCut } from "../subjects/power-cut.ts";
import { modelWith, witnessOf } from "../lockstep/deviations.ts";
import { variantNamed } from "../under-test/variants.ts";
import { releaseAnyway } from "../subjects/executor.ts";
import { expectedFile } from "./expected-file.ts";

/** Whether a power cut after the witness leaves a file that it must not. */
function shows(image: MountedImage, config: ModelConfig, deviation: Deviation): boolean {
  const model = modelWith(config, []);
  const subject = new KernelSubject(image);
  let found = false;
  try {
    model.begin();
    subject.begin();
    for (const [index, operation] of witnessOf(deviation).entries()) {
      subject.step(operation, index);
      model.apply(operation, index);
    }
    const { path, ino } = subject.keep();
    const file = expectedFile(model.keep(), path, ino);
    cutPower(image, [file], () => (kind) => {
      if (kind === "contents") found = true;
    });
    unlinkSync(path);
  } finally {
    releaseAnyway(subject);
  }
  return found;
}

/**
 * Those that the kernel shows on a fresh image; none where the journal is used otherwise than they
 * need.
 */
export function powerCutDeviations(image: MountedImage, config: ModelConfig): Deviation[] {
  if (!survivesPowerCut(image)) return [];
  const concerned = ({ visible, witness }: Deviation): boolean =>
    visible === "power cut" && variantNamed(witness.variant).journal === image.variant.journal;
  return knownDeviations.filter((one) => concerned(one) && shows(image, config, one));
}
