/**
 * What alarms in the log of the kernel that is running. No device has the number that is used here.
 */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KernelLog } from "./kernel-log.ts";

const DEVICE = "loop987654";
const expected = `${DEVICE}: writeback error on inode 12, offset 0, sector 8`;
const other = `EXT4-fs warning (device ${DEVICE}): a test of ext4-conform`;

test("what is expected alarms nobody", ({ skip }) => {
  const logs = [undefined, (text: string) => text.includes(": writeback error ")].map(
    (isExpected) => KernelLog.open(isExpected),
  );
  skip(logs.includes(undefined), "/dev/kmsg cannot be read");
  for (const text of [expected, other]) writeFileSync("/dev/kmsg", `<4>${text}\n`);
  const alarms = logs.map((log) => log!.alarms(DEVICE));
  for (const log of logs) log!.close();
  // Of what a process writes there the kernel keeps ten lines in five seconds.
  skip(alarms[0]!.length < 2, "others write into the kernel's log");
  expect(alarms).toEqual([[expected, other], [other]]);
});
