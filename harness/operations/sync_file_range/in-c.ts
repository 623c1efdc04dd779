import type { InC } from "../../aspects/in-c.ts";
import type { SyncFileRange } from "./operation.ts";

export const inC: InC<SyncFileRange, never> = {
  write(program, { pos, len }) {
    program.lines(
      `r = called(sync_file_range(${program.fd()}, ${pos}, ${len}, SYNC_FILE_RANGE_WAIT_BEFORE |`,
      "\tSYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));",
    );
  },
};
