/**
 * Entry of a worker process. In a guest its argument is the serial line that the supervisor is at
 * the other end of.
 */
import { ipcChannel, serialChannel } from "../workers/channel.ts";
import { endWithParent } from "./parent.ts";
import { runWorker } from "./worker.ts";

const [device] = process.argv.slice(2);
// A guest goes with who started it, and its worker with the guest.
if (device === undefined) endWithParent();
runWorker(device === undefined ? ipcChannel() : serialChannel(device));
