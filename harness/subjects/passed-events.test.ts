import { expect, test } from "vitest";
import { eventsOn } from "./passed-events.ts";

/** As the kernel prints them: other devices, other processes, other separators. */
const TRACE = `# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
            node-4711    [001] .....  5112.123456: ext4_da_write_begin: dev 7,1 ino 12 pos 0 len 8192
      with-4-pid-4712    [000] ...2.  5112.123457: ext4_da_write_begin: dev 7,2 ino 12 pos 0 len 1
   kworker/u8:2-77      [000] .....  5112.123458: ext4_writepages: dev 7,1 ino 12 nr_to_write 1 
            node-4711    [001] .....  5112.123459: iomap_iter: dev 7:1 ino 0xc pos 0x0  flags WRITE
            node-4711    [001] .....  5112.123460: ext4_sync_fs: dev 259,300000 wait 1
`;

const LOOP1 = (7 << 8) | 1;

test("of a trace the events on one device are told, and whose they are", () => {
  expect(eventsOn(TRACE, LOOP1, 4711)).toEqual([
    "ext4_da_write_begin ino 12 pos 0 len 8192",
    "kworker/u8:2: ext4_writepages ino 12 nr_to_write 1",
    "iomap_iter ino 0xc pos 0x0 flags WRITE",
  ]);
  expect(eventsOn(TRACE, (7 << 8) | 2, 4711)).toEqual([
    "with-4-pid: ext4_da_write_begin ino 12 pos 0 len 1",
  ]);
  // makedev(3): the minor number has 20 bits, of which 12 lie above the major one.
  const large = (259 << 8) | (300_000 & 0xff) | ((300_000 & 0xfff00) << 12);
  expect(eventsOn(TRACE, large >>> 0, 4711)).toEqual(["ext4_sync_fs wait 1"]);
});
